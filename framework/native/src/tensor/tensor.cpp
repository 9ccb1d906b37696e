#include "tensor/tensor.h"

#include <cstring>
#include <limits>
#include <utility>

namespace ms {

Tensor* checked_tensor(PyObject* object, const char* what) {
    if (!is_tensor(object)) {
        throw Error(ErrorCode::kType, std::string(what) + " must be a Tensor, got " + type_name(object));
    }
    return as_tensor(object);
}

nb::object make_tensor(TensorValue value, PyTypeObject* type) {
    auto object = checked(type->tp_alloc(type, 0));
    auto* tensor = as_tensor(object.ptr());
    std::construct_at(&tensor->storage, std::move(value.storage));
    std::construct_at(&tensor->layout, std::move(value.layout));
    tensor->data = value.data;
    tensor->code = value.code;
    return object;
}

nb::object make_tensor(TensorValue value) {
    return make_tensor(std::move(value), tensor_result_type);
}

TensorValue empty_value(LayoutRef layout, int32_t code) {
    const int64_t itemsize = itemsize_of(code);
    if (layout->size() > std::numeric_limits<int64_t>::max() / itemsize) {
        throw Error(ErrorCode::kMemory, "a tensor of shape " + shape_text(layout->shape()) + " does not fit in memory");
    }
    auto storage = Storage::allocate(static_cast<size_t>(layout->size() * itemsize));
    std::byte* data = storage->data();
    return {std::move(storage), std::move(layout), data, code};
}

TensorValue value_of(const Tensor& tensor) {
    return {tensor.storage, tensor.layout, tensor.data, tensor.code};
}

void set_value(Tensor& tensor, TensorValue value) noexcept {
    tensor.storage = std::move(value.storage);
    tensor.layout = std::move(value.layout);
    tensor.data = value.data;
    tensor.code = value.code;
}

TensorValue contiguous_value(const Tensor& tensor) {
    return tensor.layout->is_contiguous() ? value_of(tensor) : copied_value(tensor);
}

void copy_large(const TensorValue& from, const TensorValue& to) {
    constexpr int64_t kWorthReleasing = int64_t{1} << 20;
    const int64_t itemsize = itemsize_of(from.code);
    const MaybeReleaseGil unlocked(from.layout->size() * itemsize >= kWorthReleasing);
    copy_elements(*from.layout, from.data, *to.layout, to.data, itemsize);
}

TensorValue copied_value(const Tensor& tensor) {
    const auto from = value_of(tensor);  // held: another thread may give the tensor other storage meanwhile
    auto layout = from.layout->is_contiguous() ? from.layout : Layout::contiguous(from.layout->shape());
    auto value = empty_value(std::move(layout), from.code);
    copy_large(from, value);
    return value;
}

std::string type_text(int32_t code, const Layout& layout) {
    std::string text(dtype_info(code).name);
    for (size_t i = 0; i < layout.shape().size(); ++i) {
        text += (i ? ", " : "[") + std::to_string(layout.shape()[i]);
    }
    return text + (layout.ndim() ? "]" : "[]");
}

}  // namespace ms
