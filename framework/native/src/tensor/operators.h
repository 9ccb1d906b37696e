// The number, comparison and subscript slots of tensors, filled from Python with `set_operator`.
#pragma once

#include <string_view>
#include <vector>

#include "bindings/python.h"

namespace ms {

// `function` is called as function(left, right), or function(self) for neg, abs, pos and invert. Error(kValue) lists
// the slots.
void set_operator(std::string_view slot, nb::object function);

// What fills the slot; None when nothing does.
[[nodiscard]] nb::object get_operator(std::string_view slot);

// Entries for PyType_Spec.
void append_operator_slots(std::vector<PyType_Slot>& slots);

}  // namespace ms
