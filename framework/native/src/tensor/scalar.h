// Single elements to and from Python numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bindings/python.h"

namespace ms {

[[nodiscard]] nb::object number_from_element(const std::byte* element, int32_t code);

// Writes a bool, int, float or complex as an element of type `code`. Integers wrap to the type's width;
// Error(kOverflow) beyond 64 bits, Error(kType) for a complex number in a real type.
void element_from_number(PyObject* number, int32_t code, std::byte* element);

}  // namespace ms
