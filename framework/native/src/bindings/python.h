// How C++ code here meets CPython: one include, and exceptions to Python errors at the border.
#pragma once

#include <nanobind/nanobind.h>
#include <structmember.h>

#include <exception>
#include <string>

#include "base/error.h"

namespace ms {

namespace nb = nanobind;

// Sets the Python error that stands for `error`.
void set_python_error(const std::exception& error) noexcept;

// For failures that have set a Python error already.
[[noreturn]] inline void throw_python_error() {
    throw Error(ErrorCode::kPython, "a Python error is set");
}

// `object` as an owned reference; throws when it is null.
[[nodiscard]] inline nb::object checked(PyObject* object) {
    if (!object) throw_python_error();
    return nb::steal(object);
}

// Runs the body of a raw CPython slot; an exception becomes a Python error and `failed` is returned.
template <class Result, class Body>
[[nodiscard]] Result guarded(Result failed, Body body) noexcept {
    try {
        return body();
    } catch (nb::python_error& error) {
        error.restore();
    } catch (const std::exception& error) {
        set_python_error(error);
    }
    return failed;
}

// Releases the GIL for a scope when `release` says so.
class MaybeReleaseGil {
  public:
    explicit MaybeReleaseGil(bool release) : state_(release ? PyEval_SaveThread() : nullptr) {}
    ~MaybeReleaseGil() {
        if (state_) PyEval_RestoreThread(state_);
    }
    MaybeReleaseGil(const MaybeReleaseGil&) = delete;
    MaybeReleaseGil& operator=(const MaybeReleaseGil&) = delete;

  private:
    PyThreadState* state_;
};

[[nodiscard]] inline std::string type_name(PyObject* object) {
    return Py_TYPE(object)->tp_name;
}

}  // namespace ms
