#include "tensor/operators.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "tensor/tensor.h"

namespace ms {
namespace {

enum Slot : size_t {
    kAdd,
    kSub,
    kMul,
    kTruediv,
    kFloordiv,
    kMod,
    kPow,
    kMatmul,
    kNeg,
    kAbs,
    kPos,
    kAnd,
    kOr,
    kXor,
    kInvert,
    kLt,
    kLe,
    kEq,
    kNe,
    kGt,
    kGe,
    kGetitem,
    kSlotCount,
};
// The comparisons stand in the order of Py_LT .. Py_GE.
constexpr std::array<std::string_view, kSlotCount> kNames{
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "neg", "abs", "pos",
    "and", "or",  "xor", "invert",  "lt",       "le",  "eq",  "ne",     "gt",  "ge",  "getitem"};
static_assert(Py_LT == 0 && Py_GE == 5 && kGe - kLt == 5 && kEq - kLt == Py_EQ && kGt - kLt == Py_GT);

std::array<PyObject*, kSlotCount> functions{};

template <class... Args>
PyObject* call(size_t slot, Args... args) {
    PyObject* function = functions[slot];
    if (!function) Py_RETURN_NOTIMPLEMENTED;
    PyObject* arguments[] = {nullptr, args...};
    Py_INCREF(function);  // the callee may register another
    PyObject* result =
        PyObject_Vectorcall(function, arguments + 1, sizeof...(args) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
    Py_DECREF(function);
    return result;
}

// How a class defines the operator with its objects on the right, in the order of the slots.
constexpr std::array<const char*, kSlotCount> kReflected{
    "__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__rfloordiv__", "__rmod__", "__rpow__", "__rmatmul__",
    nullptr,    nullptr,    nullptr,    "__rand__",     "__ror__",       "__rxor__", nullptr,    "__gt__",
    "__ge__",   "__eq__",   "__ne__",   "__lt__",       "__le__",        nullptr};

// Whether the class of an object that is no tensor defines the operator in Python, so that Python is to call that.
bool takes_over(size_t slot, PyObject* left, PyObject* right) {
    if (!is_tensor(left) || is_tensor(right) || !PyType_HasFeature(Py_TYPE(right), Py_TPFLAGS_HEAPTYPE)) return false;
    PyObject* name = PyUnicode_FromString(kReflected[slot]);
    PyObject* found = name ? _PyType_Lookup(Py_TYPE(right), name) : nullptr;
    const bool defined = found && PyFunction_Check(found);
    Py_XDECREF(name);
    PyErr_Clear();
    return defined;
}

template <size_t kSlot>
PyObject* binary(PyObject* left, PyObject* right) {
    if (takes_over(kSlot, left, right)) Py_RETURN_NOTIMPLEMENTED;
    return call(kSlot, left, right);
}

template <size_t kSlot>
PyObject* unary(PyObject* self) {
    if (functions[kSlot]) return call(kSlot, self);
    return PyErr_Format(PyExc_TypeError, "bad operand type for unary operator: '%s'", Py_TYPE(self)->tp_name);
}

PyObject* power(PyObject* base, PyObject* exponent, PyObject* modulus) {
    if (modulus != Py_None || takes_over(kPow, base, exponent)) Py_RETURN_NOTIMPLEMENTED;
    return call(kPow, base, exponent);
}

PyObject* compare(PyObject* left, PyObject* right, int operation) {
    if (takes_over(kLt + static_cast<size_t>(operation), left, right)) Py_RETURN_NOTIMPLEMENTED;
    return call(kLt + static_cast<size_t>(operation), left, right);
}

PyObject* subscript(PyObject* self, PyObject* index) {
    if (functions[kGetitem]) return call(kGetitem, self, index);
    return PyErr_Format(PyExc_TypeError, "'%s' object is not subscriptable", Py_TYPE(self)->tp_name);
}

Py_hash_t identity_hash(PyObject* self) {
    return static_cast<Py_hash_t>(reinterpret_cast<uintptr_t>(self) >> 4);
}

template <class Function>
PyType_Slot entry(int slot, Function function) {
    return {slot, reinterpret_cast<void*>(function)};
}

size_t position_of(std::string_view slot) {
    const auto* found = std::find(kNames.begin(), kNames.end(), slot);
    if (found != kNames.end()) return static_cast<size_t>(found - kNames.begin());
    std::string known;
    for (const auto name : kNames) known += (known.empty() ? "" : ", ") + std::string(name);
    throw Error(ErrorCode::kValue, "the slot must be one of " + known + "; got '" + std::string(slot) + "'");
}

}  // namespace

void set_operator(std::string_view slot, nb::object function) {
    const size_t position = position_of(slot);
    if (!function.is_none() && !PyCallable_Check(function.ptr())) {
        throw Error(ErrorCode::kType, "the function of slot '" + std::string(slot) +
                                          "' must be callable or None, got " + type_name(function.ptr()));
    }
    PyObject* given = function.is_none() ? nullptr : function.release().ptr();
    const nb::object previous = nb::steal(std::exchange(functions[position], given));
}

nb::object get_operator(std::string_view slot) {
    PyObject* function = functions[position_of(slot)];
    return function ? nb::borrow(function) : nb::none();
}

void append_operator_slots(std::vector<PyType_Slot>& slots) {
    const PyType_Slot own[] = {
        entry(Py_nb_add, binary<kAdd>),
        entry(Py_nb_subtract, binary<kSub>),
        entry(Py_nb_multiply, binary<kMul>),
        entry(Py_nb_true_divide, binary<kTruediv>),
        entry(Py_nb_floor_divide, binary<kFloordiv>),
        entry(Py_nb_remainder, binary<kMod>),
        entry(Py_nb_power, power),
        entry(Py_nb_matrix_multiply, binary<kMatmul>),
        entry(Py_nb_and, binary<kAnd>),
        entry(Py_nb_or, binary<kOr>),
        entry(Py_nb_xor, binary<kXor>),
        entry(Py_nb_negative, unary<kNeg>),
        entry(Py_nb_positive, unary<kPos>),
        entry(Py_nb_absolute, unary<kAbs>),
        entry(Py_nb_invert, unary<kInvert>),
        entry(Py_mp_subscript, subscript),
        entry(Py_tp_richcompare, compare),
        entry(Py_tp_hash, identity_hash),
    };
    slots.insert(slots.end(), std::begin(own), std::end(own));
}

}  // namespace ms
