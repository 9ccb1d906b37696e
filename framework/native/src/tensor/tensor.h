// The tensor object itself: a raw CPython type, because making one must cost tens of nanoseconds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "bindings/python.h"
#include "memory/storage.h"
#include "tensor/layout.h"

namespace ms {

// Never without storage and layout: a subclass that forgets super().__init__ holds an empty float32 tensor.
struct Tensor {
    PyObject_HEAD StorageRef storage;
    LayoutRef layout;
    std::byte* data;  // of the first element
    int32_t code;
    int64_t version_bias;
    PyObject* dict;
    PyObject* weak_references;

    [[nodiscard]] int64_t itemsize() const noexcept { return itemsize_of(code); }
    [[nodiscard]] int64_t nbytes() const noexcept { return layout->size() * itemsize(); }
    [[nodiscard]] int64_t version() const noexcept { return version_bias + storage->version(); }
};

// What a tensor views: everything but the Python object.
struct TensorValue {
    StorageRef storage;
    LayoutRef layout;
    std::byte* data;
    int32_t code;
};

inline PyTypeObject* tensor_base_type = nullptr;
inline PyTypeObject* tensor_result_type =
    nullptr;  // what operations return: TensorBase or the subclass that was registered

[[nodiscard]] inline bool is_tensor(PyObject* object) noexcept {
    return Py_TYPE(object) == tensor_result_type || PyObject_TypeCheck(object, tensor_base_type);
}
[[nodiscard]] inline Tensor* as_tensor(PyObject* object) noexcept {
    return reinterpret_cast<Tensor*>(object);
}
// Error(kType) that names `what` when `object` is no tensor.
[[nodiscard]] Tensor* checked_tensor(PyObject* object, const char* what);

// A new object of the result type. __init__ does not run.
[[nodiscard]] nb::object make_tensor(TensorValue value);
[[nodiscard]] nb::object make_tensor(TensorValue value, PyTypeObject* type);
[[nodiscard]] TensorValue empty_value(LayoutRef layout, int32_t code);
[[nodiscard]] TensorValue value_of(const Tensor& tensor);
void set_value(Tensor& tensor, TensorValue value) noexcept;

// Row-major bytes of `tensor`: shared when it is contiguous, a copy otherwise.
[[nodiscard]] TensorValue contiguous_value(const Tensor& tensor);
[[nodiscard]] TensorValue copied_value(const Tensor& tensor);
void copy_elements(const Layout& from_layout, const std::byte* from, const Layout& to_layout, std::byte* to,
                   int64_t itemsize);

// The same between two values of one type and shape; the GIL is released for large ones.
void copy_large(const TensorValue& from, const TensorValue& to);

// "Float32[2, 3]", for errors.
[[nodiscard]] std::string type_text(int32_t code, const Layout& layout);

// Creates TensorBase; called once at import.
[[nodiscard]] nb::object create_tensor_type();

}  // namespace ms
