// Exchange with numpy, the buffer protocol, DLPack and pickle.
#pragma once

#include "tensor/tensor.h"

namespace ms {

enum class Sharing { kCopy, kShare, kShareIfPossible };

// From anything with the buffer protocol, and numpy arrays of ml_dtypes' bfloat16.
[[nodiscard]] TensorValue value_from_array(PyObject* array, Sharing sharing);
// Zero-copy ndarray that keeps the storage alive, not the tensor.
[[nodiscard]] nb::object array_of(const Tensor& tensor);

// From a capsule or an object with __dlpack__; shares the memory.
[[nodiscard]] TensorValue value_from_dlpack(PyObject* source);
// `versioned` gives a DLPack 1.0 capsule; `copy` fresh memory.
[[nodiscard]] nb::object dlpack_capsule(const Tensor& tensor, bool versioned, bool copy);

// bf_getbuffer and bf_releasebuffer.
int tensor_get_buffer(PyObject* self, Py_buffer* view, int flags) noexcept;
void tensor_release_buffer(PyObject* self, Py_buffer* view) noexcept;

// Smallest address alignment that kernels may rely on for elements of this size.
[[nodiscard]] bool is_aligned(const void* data, int64_t itemsize) noexcept;

}  // namespace ms
