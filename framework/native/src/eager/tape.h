// The recording of eager calls for gradients: a Python list of this thread.
#pragma once

#include "bindings/python.h"

namespace ms {

// Appends to `list` on this thread until the next call; None stops.
void set_tape(nb::object list);
[[nodiscard]] nb::object get_tape();

[[nodiscard]] bool is_recording() noexcept;
// (op, args, result), and with keywords (op, args, result, kwargs).
void record(PyObject* op, PyObject* const* args, size_t count, PyObject* keywords, PyObject* result);

// Positional arguments as a tuple, keyword arguments as a dict.
[[nodiscard]] nb::object positional_tuple(PyObject* const* args, size_t count);
[[nodiscard]] nb::object keyword_dict(PyObject* const* values, PyObject* names);

}  // namespace ms
