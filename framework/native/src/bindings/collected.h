// Garbage collection for classes that nanobind binds and that hold Python objects.
#pragma once

#include "bindings/python.h"

namespace ms {

// T has traverse(visit, arg) and clear().
template <class T>
struct Collected {
    static int traverse(PyObject* self, visitproc visit, void* arg) {
        Py_VISIT(Py_TYPE(self));
        return nb::inst_ready(self) ? nb::inst_ptr<T>(self)->traverse(visit, arg) : 0;
    }
    static int clear(PyObject* self) {
        if (nb::inst_ready(self)) nb::inst_ptr<T>(self)->clear();
        return 0;
    }
    static inline const PyType_Slot slots[] = {
        {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(clear)},
        {0, nullptr},
    };
};

}  // namespace ms
