// The buffer protocol of tensors: writable, strided, and independent of later changes of the tensor's storage.
#include <memory>

#include "tensor/interop.h"

namespace ms {
namespace {

// Lives in Py_buffer.internal while the view does.
struct Exported {
    TensorValue value;
    Dims byte_strides;
};

bool is_fortran(const Layout& layout) {
    int64_t expected = 1;
    for (size_t i = 0; i < layout.shape().size(); ++i) {
        if (layout.shape()[i] != 1 && layout.strides()[i] != expected) return false;
        expected *= layout.shape()[i];
    }
    return true;
}

void check_request(const Layout& layout, int flags) {
    const auto asks = [flags](int wanted) { return (flags & wanted) == wanted; };
    const bool c = layout.is_contiguous(), fortran = is_fortran(layout);
    const bool refused = (asks(PyBUF_C_CONTIGUOUS) && !c) || (asks(PyBUF_F_CONTIGUOUS) && !fortran) ||
                         (asks(PyBUF_ANY_CONTIGUOUS) && !c && !fortran) || (!asks(PyBUF_STRIDES) && !c);
    if (refused) {
        throw Error(ErrorCode::kBuffer,
                    "the tensor of shape " + shape_text(layout.shape()) +
                        " is not contiguous in the way that was asked for; call contiguous() first");
    }
}

void fill(Py_buffer& view, Exported& exported, int flags) {
    const auto& type = dtype_info(exported.value.code);
    auto& layout = *exported.value.layout;
    view.buf = exported.value.data;
    view.len = layout.size() * type.itemsize;
    view.itemsize = type.itemsize;
    view.readonly = 0;
    view.ndim = static_cast<int>(layout.ndim());
    view.format = (flags & PyBUF_FORMAT) ? const_cast<char*>(type.format) : nullptr;
    view.shape = (flags & PyBUF_ND)
                     ? const_cast<Py_ssize_t*>(reinterpret_cast<const Py_ssize_t*>(layout.shape().data()))
                     : nullptr;
    view.strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES
                       ? reinterpret_cast<Py_ssize_t*>(exported.byte_strides.data())
                       : nullptr;
    view.suboffsets = nullptr;
}

}  // namespace

int tensor_get_buffer(PyObject* self, Py_buffer* view, int flags) noexcept {
    static_assert(sizeof(Py_ssize_t) == sizeof(int64_t));
    view->obj = nullptr;
    return guarded(-1, [&] {
        const auto& tensor = *as_tensor(self);
        if (tensor.code == kBFloat16) {
            throw Error(ErrorCode::kBuffer, "the buffer protocol has no format for BFloat16; use asnumpy()");
        }
        check_request(*tensor.layout, flags);
        auto exported = std::make_unique<Exported>(value_of(tensor), tensor.layout->strides());
        for (auto& stride : exported->byte_strides) stride *= tensor.itemsize();
        fill(*view, *exported, flags);
        view->internal = exported.release();
        view->obj = Py_NewRef(self);
        return 0;
    });
}

void tensor_release_buffer(PyObject*, Py_buffer* view) noexcept {
    const std::unique_ptr<Exported> exported(static_cast<Exported*>(view->internal));
    view->internal = nullptr;
}

}  // namespace ms
