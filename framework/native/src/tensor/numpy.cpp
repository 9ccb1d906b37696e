// numpy arrays to tensors and back. Everything goes through the buffer protocol, so numpy is no build dependency.
#include <algorithm>
#include <memory>
#include <string>

#include "tensor/interop.h"

namespace ms {
namespace {

// A filled Py_buffer; the storage of a shared array owns one.
class Buffer {
  public:
    explicit Buffer(PyObject* object) {
        if (PyObject_GetBuffer(object, &view_, PyBUF_FULL_RO) != 0) throw_python_error();
    }
    ~Buffer() { PyBuffer_Release(&view_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    const Py_buffer* operator->() const noexcept { return &view_; }

  private:
    Py_buffer view_;
};

struct Source {
    std::unique_ptr<Buffer> buffer;
    int32_t code;
};

void release_buffer(void* owner) noexcept {
    // After finalisation there is no interpreter that could release it; the process is ending.
    if (!Py_IsInitialized()) return;
    const PyGILState_STATE state = PyGILState_Ensure();
    const std::unique_ptr<Buffer> released(static_cast<Buffer*>(owner));
    PyGILState_Release(state);
}

bool is_bfloat16(PyObject* array) {
    const auto dtype = nb::steal(PyObject_GetAttrString(array, "dtype"));
    const auto name = dtype.is_valid() ? nb::steal(PyObject_GetAttrString(dtype.ptr(), "name")) : nb::object();
    PyErr_Clear();
    return name.is_valid() && PyUnicode_Check(name.ptr()) &&
           PyUnicode_CompareWithASCIIString(name.ptr(), "bfloat16") == 0;
}

[[noreturn]] void refuse_type(PyObject* array) {
    PyErr_Clear();
    const auto dtype = nb::steal(PyObject_GetAttrString(array, "dtype"));
    PyErr_Clear();
    const std::string got =
        dtype.is_valid() ? "an array of dtype " + std::string(nb::str(dtype).c_str()) : type_name(array);
    throw Error(ErrorCode::kType,
                "expected a numpy array (or buffer) of bool, integers, floats or complex numbers in this machine's "
                "byte order, got " +
                    got + "; convert it with astype first");
}

Source open_source(PyObject* array) {
    if (PyObject_CheckBuffer(array)) {
        try {
            auto buffer = std::make_unique<Buffer>(array);
            const char* format = (*buffer)->format ? (*buffer)->format : "B";
            if (const auto code = code_of_format(format, (*buffer)->itemsize)) return {std::move(buffer), *code};
        } catch (const Error&) {
            PyErr_Clear();
        }
        if (is_bfloat16(array)) {
            const auto bits = checked(PyObject_CallMethod(array, "view", "s", "uint16"));
            return {std::make_unique<Buffer>(bits.ptr()), kBFloat16};
        }
    }
    refuse_type(array);
}

struct Strides {
    Dims elements;
    bool whole;  // every byte stride is a multiple of the item size
};

Strides element_strides(const Py_buffer& view) {
    Strides result{{}, true};
    for (int i = 0; i < view.ndim; ++i) {
        // The stride of a dimension that is never stepped over may be anything.
        const int64_t stride = view.shape[i] > 1 ? view.strides[i] : 0;
        result.whole = result.whole && stride % view.itemsize == 0;
        result.elements.push_back(stride / view.itemsize);
    }
    return result;
}

TensorValue share(std::unique_ptr<Buffer> buffer, LayoutRef layout, int32_t code) {
    auto* data = static_cast<std::byte*>((*buffer)->buf);
    const int64_t itemsize = (*buffer)->itemsize;
    const auto [low, high] = layout->extent();
    auto storage = Storage::wrap(data + low * itemsize, static_cast<size_t>((high - low) * itemsize), buffer.get(),
                                 release_buffer);
    static_cast<void>(buffer.release());
    return {std::move(storage), std::move(layout), data, code};
}

const char* why_not_shared(const Py_buffer& view, bool whole_strides) {
    if (view.readonly) return "it is read-only";
    if (!whole_strides) return "its strides are not multiples of its item size";
    return is_aligned(view.buf, view.itemsize) ? nullptr : "its data is not aligned to its item size";
}

TensorValue copy_of(const Buffer& buffer, const Strides& strides, PyObject* array, int32_t code) {
    if (!strides.whole) {
        const auto numpy = checked(PyImport_ImportModule("numpy"));
        return value_from_array(checked(PyObject_CallMethod(numpy.ptr(), "array", "O", array)).ptr(), Sharing::kCopy);
    }
    Dims shape(buffer->shape, buffer->shape + buffer->ndim);
    const auto from = Layout::strided(shape, strides.elements);
    auto value = empty_value(Layout::contiguous(std::move(shape)), code);
    copy_elements(*from, static_cast<const std::byte*>(buffer->buf), *value.layout, value.data, buffer->itemsize);
    return value;
}

// The cached attribute of a module; references are kept for the life of the process.
PyObject* imported(const char* module, const char* name) {
    const auto loaded = checked(PyImport_ImportModule(module));
    return checked(PyObject_GetAttrString(loaded.ptr(), name)).release().ptr();
}

}  // namespace

bool is_aligned(const void* data, int64_t itemsize) noexcept {
    const auto needed = static_cast<uintptr_t>(std::min<int64_t>(itemsize, 8));
    return reinterpret_cast<uintptr_t>(data) % needed == 0;
}

TensorValue value_from_array(PyObject* array, Sharing sharing) {
    auto [buffer, code] = open_source(array);
    const auto& view = *buffer->operator->();
    auto strides = element_strides(view);
    if (sharing == Sharing::kCopy) return copy_of(*buffer, strides, array, code);
    if (const char* why = why_not_shared(view, strides.whole)) {
        if (sharing == Sharing::kShareIfPossible) return copy_of(*buffer, strides, array, code);
        throw Error(ErrorCode::kValue,
                    std::string("the array's memory cannot be shared because ") + why + "; pass copy=True to copy it");
    }
    Dims shape(view.shape, view.shape + view.ndim);
    auto layout = Layout::strided(std::move(shape), std::move(strides.elements));
    return share(std::move(buffer), std::move(layout), code);
}

nb::object array_of(const Tensor& tensor) {
    static PyObject* as_array = imported("numpy", "asarray");
    auto value = value_of(tensor);
    const bool bfloat16 = value.code == kBFloat16;
    if (bfloat16) value.code = kUInt16;
    // A fresh exporter: an array that kept the tensor itself could form a cycle through its attributes that nobody
    // collects.
    const auto exporter = make_tensor(std::move(value), tensor_base_type);
    auto array = checked(PyObject_CallOneArg(as_array, exporter.ptr()));
    if (!bfloat16) return array;
    static PyObject* bfloat16_type = imported("ml_dtypes", "bfloat16");
    return checked(PyObject_CallMethod(array.ptr(), "view", "O", bfloat16_type));
}

}  // namespace ms
