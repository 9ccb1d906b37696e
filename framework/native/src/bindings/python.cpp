#include "bindings/python.h"

#include <new>

namespace ms {
namespace {

PyObject* python_type(ErrorCode code) {
    switch (code) {
        case ErrorCode::kType:
            return PyExc_TypeError;
        case ErrorCode::kValue:
            return PyExc_ValueError;
        case ErrorCode::kIndex:
            return PyExc_IndexError;
        case ErrorCode::kOverflow:
            return PyExc_OverflowError;
        case ErrorCode::kBuffer:
            return PyExc_BufferError;
        case ErrorCode::kMemory:
            return PyExc_MemoryError;
        case ErrorCode::kRecursion:
            return PyExc_RecursionError;
        case ErrorCode::kRuntime:
        case ErrorCode::kPython:
            break;
    }
    return PyExc_RuntimeError;
}

}  // namespace

void set_python_error(const std::exception& error) noexcept {
    if (const auto* own = dynamic_cast<const Error*>(&error)) {
        if (own->code() == ErrorCode::kPython && PyErr_Occurred()) return;
        PyErr_SetString(python_type(own->code()), own->what());
    } else if (dynamic_cast<const std::bad_alloc*>(&error)) {
        PyErr_NoMemory();
    } else {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
}

}  // namespace ms
