// Attributes and methods of TensorBase.
#pragma once

#include <vector>

#include "bindings/python.h"

namespace ms {

// `types[code]` is what `dtype` returns. Error(kValue) when the codes do not match the native table.
void set_dtypes(nb::list types);

[[nodiscard]] PyGetSetDef* tensor_attributes() noexcept;
[[nodiscard]] PyMethodDef* tensor_methods() noexcept;
// len, bool, int, float and index of tensors.
void append_conversion_slots(std::vector<PyType_Slot>& slots);

}  // namespace ms
