#include "graph/guards.h"

#include <algorithm>
#include <utility>

#include "eager/key.h"

namespace ms {
namespace {

[[noreturn]] void refuse(const std::string& kind, const char* wanted, nb::handle got) {
    throw Error(ErrorCode::kType, "a guard of kind '" + kind + "' needs " + wanted + ", got " + type_name(got.ptr()));
}

bool has_length(PyObject* container, PyObject* expected) {
    const Py_ssize_t length = PyObject_Size(container);
    if (length < 0) PyErr_Clear();
    return length >= 0 && length == PyLong_AsSsize_t(expected);
}

// Borrowed; null when there is none.
PyObject* element(PyObject* list, PyObject* index) {
    const Py_ssize_t place = PyLong_AsSsize_t(index);
    return place >= 0 && place < PyList_GET_SIZE(list) ? PyList_GET_ITEM(list, place) : nullptr;
}

// An attribute of a class or of its bases, without running Python code. Borrowed; null when there is none.
PyObject* class_attribute(PyObject* cls, PyObject* name) {
    return _PyType_Lookup(reinterpret_cast<PyTypeObject*>(cls), name);
}

}  // namespace

nb::object missing() {
    static PyObject* sentinel =
        checked(PyObject_CallNoArgs(reinterpret_cast<PyObject*>(&PyBaseObject_Type))).release().ptr();
    return nb::borrow(sentinel);
}

Guards::Guards(const std::vector<Entry>& entries) {
    guards_.reserve(entries.size());
    for (const auto& entry : entries) guards_.push_back(parse(entry));
}

Guards::Guard Guards::parse(const Entry& entry) {
    const auto& [kind, container, key, expected] = entry;
    if (kind == "dict") {
        if (!PyDict_Check(container.ptr())) refuse(kind, "a dict as its container", container);
        return {Kind::kDict, container, key, expected};
    }
    if (kind == "cell") {
        if (!PyCell_Check(container.ptr())) refuse(kind, "a closure cell as its container", container);
        return {Kind::kCell, container, key, expected};
    }
    if (kind == "item") {
        if (!PyList_Check(container.ptr())) refuse(kind, "a list as its container", container);
        if (!PyLong_CheckExact(key.ptr())) refuse(kind, "an int as its key", key);
        return {Kind::kItem, container, key, expected};
    }
    if (kind == "class") {
        if (!PyType_Check(container.ptr())) refuse(kind, "a class as its container", container);
        if (!PyUnicode_CheckExact(key.ptr())) refuse(kind, "a str as its key", key);
        return {Kind::kClass, container, key, expected};
    }
    if (kind == "len") {
        if (!PyLong_CheckExact(expected.ptr())) refuse(kind, "an int as its expected value", expected);
        return {Kind::kLen, container, key, expected};
    }
    throw Error(ErrorCode::kValue,
                "the kind of a guard must be 'dict', 'cell', 'class', 'item' or 'len', got '" + kind + "'");
}

PyObject* Guards::content(const Guard& guard) {
    PyObject* container = guard.container.ptr();
    switch (guard.kind) {
        case Kind::kDict:
            return PyDict_GetItemWithError(container, guard.key.ptr());
        case Kind::kCell:
            return PyCell_GET(container);
        case Kind::kItem:
            return element(container, guard.key.ptr());
        case Kind::kClass:
            return class_attribute(container, guard.key.ptr());
        case Kind::kLen:
            break;
    }
    return nullptr;
}

bool Guards::holds(const Guard& guard) {
    if (guard.kind == Kind::kLen) return has_length(guard.container.ptr(), guard.expected.ptr());
    PyObject* found = content(guard);
    if (found)
        return same_value(found, guard.expected.ptr());  // runs no Python code, so the borrowed reference stays good
    if (PyErr_Occurred()) throw_python_error();
    return guard.expected.is(missing());
}

bool Guards::check() const {
    return std::all_of(guards_.begin(), guards_.end(), holds);
}

int Guards::traverse(visitproc visit, void* arg) const {
    for (const auto& guard : guards_) {
        Py_VISIT(guard.container.ptr());
        Py_VISIT(guard.key.ptr());
        Py_VISIT(guard.expected.ptr());
    }
    return 0;
}

void Guards::clear() {
    const std::vector<Guard> old = std::exchange(guards_, {});
}

}  // namespace ms
