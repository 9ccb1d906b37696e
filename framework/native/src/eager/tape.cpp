#include "eager/tape.h"

namespace ms {
namespace {

// A thread that ends with a tape set leaves it alive: its destructor could not take the GIL safely.
thread_local PyObject* tape = nullptr;

}  // namespace

void set_tape(nb::object list) {
    if (!list.is_none() && !PyList_Check(list.ptr())) {
        throw Error(ErrorCode::kType, "the tape must be a list or None, got " + type_name(list.ptr()));
    }
    const nb::object previous = nb::steal(tape);
    tape = list.is_none() ? nullptr : list.release().ptr();
}

nb::object get_tape() {
    return tape ? nb::borrow(tape) : nb::none();
}

bool is_recording() noexcept {
    return tape != nullptr;
}

nb::object positional_tuple(PyObject* const* args, size_t count) {
    auto tuple = checked(PyTuple_New(static_cast<Py_ssize_t>(count)));
    for (size_t i = 0; i < count; ++i) PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i), Py_NewRef(args[i]));
    return tuple;
}

nb::object keyword_dict(PyObject* const* values, PyObject* names) {
    auto dict = checked(PyDict_New());
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); ++i) {
        if (PyDict_SetItem(dict.ptr(), PyTuple_GET_ITEM(names, i), values[i]) != 0) throw_python_error();
    }
    return dict;
}

void record(PyObject* op, PyObject* const* args, size_t count, PyObject* keywords, PyObject* result) {
    const auto positional = positional_tuple(args, count);
    const auto entry =
        keywords ? checked(PyTuple_Pack(4, op, positional.ptr(), result, keyword_dict(args + count, keywords).ptr()))
                 : checked(PyTuple_Pack(3, op, positional.ptr(), result));
    if (PyList_Append(tape, entry.ptr()) != 0) throw_python_error();
}

}  // namespace ms
