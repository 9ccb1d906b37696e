#include "eager/key.h"

#include <bit>
#include <string>

#include "base/hash.h"
#include "tensor/tensor.h"

namespace ms {
namespace {

enum NumberKind : int32_t { kNoNumber, kBoolNumber, kIntNumber, kFloatNumber, kComplexNumber };

NumberKind number_kind(PyObject* object) noexcept {
    if (PyFloat_Check(object)) return kFloatNumber;
    if (PyBool_Check(object)) return kBoolNumber;
    if (PyLong_Check(object)) return kIntNumber;
    return PyComplex_Check(object) ? kComplexNumber : kNoNumber;
}

uint64_t address_hash(const void* pointer) noexcept {
    return mix(0x51, reinterpret_cast<uintptr_t>(pointer) >> 4);
}

uint64_t tensor_hash(PyObject* object) noexcept {
    const auto& tensor = *as_tensor(object);
    return mix(tensor.layout->shape_hash(), static_cast<uint64_t>(tensor.code));
}

// The fields of a dataclass by name, borrowed; null for other objects. Cells are called, not read.
PyObject* fields_of(PyObject* object) noexcept {
    static PyObject* const fields_name = PyUnicode_InternFromString("__dataclass_fields__");
    static PyObject* const called_name = PyUnicode_InternFromString("__graph_function__");
    if (PyType_Check(object)) return nullptr;
    PyObject* const fields = _PyType_Lookup(Py_TYPE(object), fields_name);
    return fields && PyDict_Check(fields) && !_PyType_Lookup(Py_TYPE(object), called_name) ? fields : nullptr;
}

bool is_container(PyObject* object) noexcept {
    return PyTuple_Check(object) || PyList_Check(object) || PyDict_Check(object) || fields_of(object);
}

// Lists may contain themselves.
class RecursionScope {
  public:
    RecursionScope() {
        if (Py_EnterRecursiveCall(" while reading the arguments of a call") != 0) throw_python_error();
    }
    ~RecursionScope() { Py_LeaveRecursiveCall(); }
    RecursionScope(const RecursionScope&) = delete;
    RecursionScope& operator=(const RecursionScope&) = delete;
};

// A field that was never assigned counts as Ellipsis.
nb::object field(PyObject* record, PyObject* name) {
    PyObject* found = PyObject_GetAttr(record, name);
    if (found) return nb::steal(found);
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw_python_error();
    PyErr_Clear();
    return nb::borrow(Py_Ellipsis);
}

// Calls visit(element) for each element, keys and values of a dict in turn, the fields of a dataclass, until it returns
// false. Elements are held meanwhile: comparing may run Python code that changes the container.
template <class Visit>
bool for_each_element(PyObject* container, Visit visit) {
    const RecursionScope scope;
    if (PyDict_Check(container)) {
        PyObject *key = nullptr, *value = nullptr;
        for (Py_ssize_t position = 0; PyDict_Next(container, &position, &key, &value);) {
            const auto held_key = nb::borrow(key), held_value = nb::borrow(value);
            if (!visit(held_key.ptr()) || !visit(held_value.ptr())) return false;
        }
        return true;
    }
    if (PyObject* fields = fields_of(container)) {
        PyObject *name = nullptr, *unused = nullptr;
        for (Py_ssize_t position = 0; PyDict_Next(fields, &position, &name, &unused);) {
            if (!visit(field(container, name).ptr())) return false;
        }
        return true;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(container); ++i) {
        if (!visit(nb::borrow(PySequence_Fast_GET_ITEM(container, i)).ptr())) return false;
    }
    return true;
}

size_t element_slots(PyObject* container) noexcept {
    if (PyDict_Check(container)) return static_cast<size_t>(PyDict_GET_SIZE(container)) * 2;
    if (PyObject* fields = fields_of(container)) return static_cast<size_t>(PyDict_GET_SIZE(fields));
    return static_cast<size_t>(PySequence_Fast_GET_SIZE(container));
}

// Whether the numbers in an object are inputs of compiled calls instead of constants.
bool is_mutable(PyObject* object) noexcept {
    static PyObject* const name = PyUnicode_InternFromString("__ms_mutable__");
    return _PyType_Lookup(Py_TYPE(object), name) != nullptr;
}

uint64_t kind_hash(NumberKind kind) noexcept {
    return mix(0xABCD, static_cast<uint64_t>(kind));
}

// How the numbers in `object` count, given how those around it do.
Numbers numbers_in(PyObject* object, Numbers around) noexcept {
    return around == Numbers::kMutableByKind && is_mutable(object) ? Numbers::kByKind : around;
}

// The rule for the elements of a container one after the other: the keys of a dict always count by their values.
class ElementNumbers {
  public:
    ElementNumbers(PyObject* container, Numbers numbers) : has_keys_(PyDict_Check(container)), numbers_(numbers) {}
    [[nodiscard]] Numbers next() noexcept {
        key_ = has_keys_ && !key_;
        return key_ ? Numbers::kByValue : numbers_;
    }

  private:
    bool has_keys_;
    bool key_ = false;
    Numbers numbers_;
};

std::optional<uint64_t> hash_container(PyObject* container, Numbers numbers) {
    uint64_t hash = mix(address_hash(Py_TYPE(container)), element_slots(container));
    ElementNumbers rule(container, numbers);
    const bool all = for_each_element(container, [&hash, &rule](PyObject* element) {
        const auto one = hash_value(element, rule.next());
        hash = mix(hash, one.value_or(0));
        return one.has_value();
    });
    return all ? std::optional(hash) : std::nullopt;
}

std::optional<uint64_t> hash_slice(PyObject* object) {
    const auto* slice = reinterpret_cast<PySliceObject*>(object);
    uint64_t hash = 0x511CE;
    for (PyObject* part : {slice->start, slice->stop, slice->step}) {
        const auto one = hash_value(part);
        if (!one) return std::nullopt;
        hash = mix(hash, *one);
    }
    return hash;
}

uint64_t float_bits(PyObject* number) noexcept {
    return std::bit_cast<uint64_t>(PyFloat_AS_DOUBLE(number));
}

// Objects that compare by the usual rules; the type is part of the value, so that 1, 1.0 and True differ.
bool same_object(PyObject* left, PyObject* right) {
    if (left == right) return true;
    if (Py_TYPE(left) != Py_TYPE(right)) return false;
    if (PyFloat_CheckExact(left)) return float_bits(left) == float_bits(right);
    const int equal = PyObject_RichCompareBool(left, right, Py_EQ);
    if (equal < 0) throw_python_error();
    return equal == 1;
}

}  // namespace

std::optional<uint64_t> hash_value(PyObject* object, Numbers numbers) {
    numbers = numbers_in(object, numbers);
    if (numbers == Numbers::kByKind) {
        if (const auto kind = number_kind(object)) return mix(kind_hash(kind), address_hash(Py_TYPE(object)));
    }
    if (object == Py_None || PyBool_Check(object)) return address_hash(object);
    if (PyFloat_CheckExact(object)) return mix(0xF, float_bits(object));
    if (is_tensor(object)) return tensor_hash(object);
    if (is_container(object)) return hash_container(object, numbers);
    if (PySlice_Check(object)) return hash_slice(object);
    const Py_hash_t hash = PyObject_Hash(object);
    if (hash != -1) return mix(reinterpret_cast<uintptr_t>(Py_TYPE(object)), static_cast<uint64_t>(hash));
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw_python_error();
    PyErr_Clear();
    return std::nullopt;
}

std::optional<uint64_t> hash_operand(PyObject* object) {
    if (is_tensor(object)) return tensor_hash(object);
    if (const auto kind = number_kind(object)) return kind_hash(kind);
    return hash_value(object);
}

std::optional<Frozen> Frozen::container(PyObject* object, Numbers numbers) {
    Frozen result;
    ElementNumbers rule(object, numbers);
    result.kind_ = Kind::kContainer;
    result.object_ = nb::borrow(reinterpret_cast<PyObject*>(Py_TYPE(object)));
    const bool all = for_each_element(object, [&result, &rule](PyObject* element) {
        auto child = Frozen::value(element, rule.next());
        if (child) result.children_.push_back(std::move(*child));
        return child.has_value();
    });
    return all ? std::optional(std::move(result)) : std::nullopt;
}

Frozen Frozen::number(int32_t kind) {
    Frozen result;
    result.kind_ = Kind::kNumber;
    result.code_ = kind;
    return result;
}

std::optional<Frozen> Frozen::value(PyObject* object, Numbers numbers) {
    numbers = numbers_in(object, numbers);
    if (numbers == Numbers::kByKind) {
        if (const auto kind = number_kind(object)) {
            auto result = number(kind);
            result.object_ = nb::borrow(reinterpret_cast<PyObject*>(Py_TYPE(object)));
            return result;
        }
    }
    if (is_container(object)) return container(object, numbers);
    Frozen result;
    if (is_tensor(object)) {
        result.kind_ = Kind::kTensor;
        result.code_ = as_tensor(object)->code;
        result.layout_ = as_tensor(object)->layout;
        return result;
    }
    if (!hash_value(object)) return std::nullopt;
    if (PySlice_Check(object)) {
        const auto* slice = reinterpret_cast<PySliceObject*>(object);
        result.kind_ = Kind::kSlice;
        for (PyObject* part : {slice->start, slice->stop, slice->step})
            result.children_.push_back(*Frozen::value(part));
        return result;
    }
    result.object_ = nb::borrow(object);
    return result;
}

std::optional<Frozen> Frozen::operand(PyObject* object) {
    const auto kind = number_kind(object);
    return kind == kNoNumber ? value(object) : number(kind);
}

bool Frozen::container_matches(PyObject* object) const {
    if (reinterpret_cast<PyObject*>(Py_TYPE(object)) != object_.ptr() || element_slots(object) != children_.size())
        return false;
    size_t next = 0;
    // The container may have grown while its elements were compared.
    const auto match = [&](PyObject* element) { return next < children_.size() && children_[next++].matches(element); };
    return for_each_element(object, match) && next == children_.size();
}

bool Frozen::matches(PyObject* object) const {
    switch (kind_) {
        case Kind::kTensor:
            return is_tensor(object) && as_tensor(object)->code == code_ &&
                   as_tensor(object)->layout->same_shape(*layout_);
        case Kind::kContainer:
            return is_container(object) && container_matches(object);
        case Kind::kSlice: {
            if (!PySlice_Check(object)) return false;
            const auto* slice = reinterpret_cast<PySliceObject*>(object);
            return children_[0].matches(slice->start) && children_[1].matches(slice->stop) &&
                   children_[2].matches(slice->step);
        }
        case Kind::kNumber:
            return false;
        case Kind::kObject:
            return !is_tensor(object) && same_object(object_.ptr(), object);
    }
    return false;
}

bool Frozen::matches_operand(PyObject* object) const {
    if (kind_ == Kind::kTensor) return matches(object);
    const auto kind = number_kind(object);
    return kind == kNoNumber ? matches(object) : kind_ == Kind::kNumber && code_ == kind;
}

bool Frozen::operator==(const Frozen& other) const {
    if (kind_ != other.kind_ || code_ != other.code_) return false;
    switch (kind_) {
        case Kind::kTensor:
            return layout_->same_shape(*other.layout_);
        case Kind::kNumber:
            return object_.ptr() == other.object_.ptr();
        case Kind::kObject:
            return same_object(object_.ptr(), other.object_.ptr());
        case Kind::kContainer:
        case Kind::kSlice:
            return object_.ptr() == other.object_.ptr() && children_ == other.children_;
    }
    return false;
}

int Frozen::traverse(visitproc visit, void* arg) const {
    Py_VISIT(object_.ptr());
    for (const auto& child : children_) {
        if (const int stop = child.traverse(visit, arg)) return stop;
    }
    return 0;
}

std::string Frozen::text() const {
    if (kind_ == Kind::kTensor) return type_text(code_, *layout_);
    if (kind_ == Kind::kNumber) return "number";
    if (kind_ == Kind::kObject) return nb::repr(object_).c_str();
    std::string inside;
    for (const auto& child : children_) inside += (inside.empty() ? "" : ", ") + child.text();
    const std::string name = kind_ == Kind::kSlice ? "slice" : reinterpret_cast<PyTypeObject*>(object_.ptr())->tp_name;
    return name + "(" + inside + ")";
}

bool same_value(PyObject* left, PyObject* right) {
    if (left == right) return true;
    if (Py_TYPE(left) != Py_TYPE(right)) return false;
    if (PyLong_CheckExact(left) || PyFloat_CheckExact(left) || PyUnicode_CheckExact(left) || PyBytes_CheckExact(left) ||
        PyComplex_CheckExact(left)) {
        return same_object(left, right);
    }
    if (!PyTuple_CheckExact(left) || PyTuple_GET_SIZE(left) != PyTuple_GET_SIZE(right)) return false;
    const RecursionScope scope;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(left); ++i) {
        if (!same_value(PyTuple_GET_ITEM(left, i), PyTuple_GET_ITEM(right, i))) return false;
    }
    return true;
}

}  // namespace ms
