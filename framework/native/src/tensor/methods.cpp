// The methods of TensorBase.
#include <cstring>
#include <string>

#include "tensor/attributes.h"
#include "tensor/interop.h"
#include "tensor/scalar.h"

namespace ms {
namespace {

template <class... Targets>
void parse(PyObject* args, PyObject* kwargs, const char* format, const char* const* names, Targets*... targets) {
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, const_cast<char**>(names), targets...)) throw_python_error();
}

PyObject* to_python(nb::object object) {
    return object.release().ptr();
}

PyObject* empty(PyObject*, PyObject* args, PyObject* kwargs) {
    return guarded<PyObject*>(nullptr, [&] {
        static constexpr const char* kNames[] = {"shape", "code", nullptr};
        PyObject* shape = nullptr;
        long long code = 0;
        parse(args, kwargs, "OL:empty", kNames, &shape, &code);
        return to_python(
            make_tensor(empty_value(Layout::contiguous(dims_from_python(shape, "shape")), checked_code(code))));
    });
}

PyObject* from_numpy(PyObject*, PyObject* args, PyObject* kwargs) {
    return guarded<PyObject*>(nullptr, [&] {
        static constexpr const char* kNames[] = {"array", "copy", nullptr};
        PyObject* array = nullptr;
        int copy = 1;
        parse(args, kwargs, "O|p:from_numpy", kNames, &array, &copy);
        return to_python(make_tensor(value_from_array(array, copy ? Sharing::kCopy : Sharing::kShare)));
    });
}

PyObject* from_dlpack(PyObject*, PyObject* source) {
    return guarded<PyObject*>(nullptr, [&] { return to_python(make_tensor(value_from_dlpack(source))); });
}

PyObject* asnumpy(PyObject* self, PyObject*) {
    return guarded<PyObject*>(nullptr, [&] { return to_python(array_of(*as_tensor(self))); });
}

PyObject* array_protocol(PyObject* self, PyObject* args, PyObject* kwargs) {
    return guarded<PyObject*>(nullptr, [&] {
        static constexpr const char* kNames[] = {"dtype", "copy", nullptr};
        PyObject *dtype = Py_None, *copy = Py_None;
        parse(args, kwargs, "|OO:__array__", kNames, &dtype, &copy);
        auto array = array_of(*as_tensor(self));
        if (dtype != Py_None) {
            const auto keywords = checked(Py_BuildValue("{s:O}", "copy", copy == Py_True ? Py_True : Py_False));
            const auto positional = checked(PyTuple_Pack(1, dtype));
            return PyObject_Call(checked(PyObject_GetAttrString(array.ptr(), "astype")).ptr(), positional.ptr(),
                                 keywords.ptr());
        }
        return copy == Py_True ? PyObject_CallMethod(array.ptr(), "copy", nullptr) : to_python(std::move(array));
    });
}

bool wants_versioned(PyObject* max_version) {
    if (max_version == Py_None) return false;
    int major = 0, minor = 0;
    if (!PyArg_ParseTuple(max_version, "ii;max_version must be a (major, minor) tuple", &major, &minor))
        throw_python_error();
    return major >= 1;
}

PyObject* dlpack(PyObject* self, PyObject* args, PyObject* kwargs) {
    return guarded<PyObject*>(nullptr, [&] {
        static constexpr const char* kNames[] = {"stream", "max_version", "dl_device", "copy", nullptr};
        PyObject *stream = Py_None, *version = Py_None, *device = Py_None, *copy = Py_None;
        parse(args, kwargs, "|$OOOO:__dlpack__", kNames, &stream, &version, &device, &copy);
        if (device != Py_None) {
            int type = 0, id = 0;
            if (!PyArg_ParseTuple(device, "ii;dl_device must be a (type, id) tuple", &type, &id)) throw_python_error();
            if (type != 1)
                throw Error(ErrorCode::kBuffer,
                            "the tensor is on the CPU (device type 1), got dl_device type " + std::to_string(type));
        }
        return to_python(dlpack_capsule(*as_tensor(self), wants_versioned(version), copy == Py_True));
    });
}

PyObject* dlpack_device(PyObject*, PyObject*) {
    return Py_BuildValue("(ii)", 1, 0);
}

PyObject* view(PyObject* self, PyObject* args, PyObject* kwargs) {
    return guarded<PyObject*>(nullptr, [&] {
        static constexpr const char* kNames[] = {"shape", "strides_elems", "offset_elems", nullptr};
        PyObject *shape = nullptr, *strides = nullptr;
        long long offset = 0;
        parse(args, kwargs, "OO|L:view", kNames, &shape, &strides, &offset);
        auto value = value_of(*as_tensor(self));
        auto layout = Layout::strided(dims_from_python(shape, "shape"), dims_from_python(strides, "strides_elems"));
        const auto [low, high] = layout->extent();
        const int64_t itemsize = itemsize_of(value.code);
        const int64_t first = (value.data - value.storage->data()) / itemsize;
        const auto available = static_cast<int64_t>(value.storage->bytes()) / itemsize;
        if (layout->size() > 0 && (first + offset + low < 0 || first + offset + high > available)) {
            throw Error(ErrorCode::kIndex, "a view of shape " + shape_text(layout->shape()) + ", strides " +
                                               shape_text(layout->strides()) + " and offset " + std::to_string(offset) +
                                               " leaves the storage of " + std::to_string(available) + " elements");
        }
        if (layout->size() > 0) value.data += offset * itemsize;
        value.layout = std::move(layout);
        return to_python(make_tensor(std::move(value)));
    });
}

PyObject* contiguous(PyObject* self, PyObject*) {
    if (as_tensor(self)->layout->is_contiguous()) return Py_NewRef(self);
    return guarded<PyObject*>(nullptr, [&] { return to_python(make_tensor(copied_value(*as_tensor(self)))); });
}

PyObject* copy(PyObject* self, PyObject*) {
    return guarded<PyObject*>(nullptr, [&] { return to_python(make_tensor(copied_value(*as_tensor(self)))); });
}

PyObject* assign_from(PyObject* self, PyObject* other) {
    return guarded<PyObject*>(nullptr, [&] {
        auto& to = *as_tensor(self);
        const auto& from = *checked_tensor(other, "the value");
        if (to.code != from.code || !to.layout->same_shape(*from.layout)) {
            throw Error(ErrorCode::kValue, "assign_from needs a tensor of the same type and shape: expected " +
                                               type_text(to.code, *to.layout) + ", got " +
                                               type_text(from.code, *from.layout) + "; cast or reshape it first");
        }
        // Two views of one storage may overlap in any way; going through a copy is always right.
        const auto source = to.storage == from.storage ? copied_value(from) : value_of(from);
        const auto target = value_of(to);
        copy_large(source, target);
        target.storage->bump_version();
        return Py_NewRef(Py_None);
    });
}

bool has_all_of_own_storage(const Tensor& tensor) {
    return tensor.storage->is_unshared() && tensor.layout->is_contiguous() && tensor.data == tensor.storage->data();
}

PyObject* take_from(PyObject* self, PyObject* other) {
    return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
        auto& to = *as_tensor(self);
        auto& from = *checked_tensor(other, "the value");
        const bool fits = to.code == from.code && to.layout->same_shape(*from.layout);
        if (!fits || !has_all_of_own_storage(to) || !has_all_of_own_storage(from)) return assign_from(self, other);
        const int64_t version = to.version();
        std::swap(to.storage, from.storage);
        std::swap(to.data, from.data);
        to.version_bias = version + 1 - to.storage->version();
        return Py_NewRef(Py_None);
    });
}

PyObject* set_storage(PyObject* self, PyObject* other) {
    return guarded<PyObject*>(nullptr, [&] {
        auto& tensor = *as_tensor(self);
        const int64_t version = tensor.version();
        set_value(tensor, value_of(*checked_tensor(other, "the value")));
        tensor.version_bias = version + 1 - tensor.storage->version();
        return Py_NewRef(Py_None);
    });
}

nb::object only_number(PyObject* self) {
    const auto& tensor = *as_tensor(self);
    if (tensor.layout->size() == 1) return number_from_element(tensor.data, tensor.code);
    throw Error(ErrorCode::kValue,
                "only a tensor of one element is a number, got shape " + shape_text(tensor.layout->shape()));
}

PyObject* item(PyObject* self, PyObject*) {
    return guarded<PyObject*>(nullptr, [&] { return to_python(only_number(self)); });
}

PyObject* to_int(PyObject* self) {
    return guarded<PyObject*>(nullptr, [&] { return PyNumber_Long(only_number(self).ptr()); });
}

PyObject* to_float(PyObject* self) {
    return guarded<PyObject*>(nullptr, [&] { return PyNumber_Float(only_number(self).ptr()); });
}

PyObject* to_index(PyObject* self) {
    return guarded<PyObject*>(nullptr, [&] { return PyNumber_Index(only_number(self).ptr()); });
}

int to_bool(PyObject* self) {
    return guarded(-1, [&] {
        if (as_tensor(self)->layout->size() == 1) return PyObject_IsTrue(only_number(self).ptr());
        throw Error(ErrorCode::kValue, "the truth value of a tensor of shape " +
                                           shape_text(as_tensor(self)->layout->shape()) +
                                           " is ambiguous; use any() or all()");
    });
}

Py_ssize_t length(PyObject* self) {
    return guarded<Py_ssize_t>(-1, [&] {
        const auto& shape = as_tensor(self)->layout->shape();
        if (shape.empty()) throw Error(ErrorCode::kType, "len() of a 0-d tensor");
        return static_cast<Py_ssize_t>(shape[0]);
    });
}

// State for pickle and copy: (code, shape, bytes, attributes or None); object.__reduce_ex__ makes the object with
// __new__.
PyObject* get_state(PyObject* self, PyObject*) {
    return guarded<PyObject*>(nullptr, [&] {
        const auto value = contiguous_value(*as_tensor(self));
        const int64_t bytes = value.layout->size() * itemsize_of(value.code);
        const auto data = checked(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(value.data), bytes));
        PyObject* dict = as_tensor(self)->dict;
        return Py_BuildValue("(iOOO)", value.code, value.layout->shape_tuple(), data.ptr(), dict ? dict : Py_None);
    });
}

PyObject* set_state(PyObject* self, PyObject* state) {
    return guarded<PyObject*>(nullptr, [&] {
        int code = 0;
        PyObject *shape = nullptr, *data = nullptr, *dict = nullptr;
        if (!PyTuple_Check(state))
            throw Error(ErrorCode::kType, "the pickled state of a tensor must be a tuple, got " + type_name(state));
        if (!PyArg_ParseTuple(state, "iOO!O:__setstate__", &code, &shape, &PyBytes_Type, &data, &dict))
            throw_python_error();
        auto value = empty_value(Layout::contiguous(dims_from_python(shape, "shape")), checked_code(code));
        if (PyBytes_GET_SIZE(data) != value.layout->size() * itemsize_of(code)) {
            throw Error(ErrorCode::kValue, "the pickled tensor " + type_text(code, *value.layout) + " has " +
                                               std::to_string(PyBytes_GET_SIZE(data)) +
                                               " bytes of data, which does not fit");
        }
        std::memcpy(value.data, PyBytes_AS_STRING(data), static_cast<size_t>(PyBytes_GET_SIZE(data)));
        set_value(*as_tensor(self), std::move(value));
        if (dict != Py_None) {
            const auto own = checked(PyObject_GenericGetDict(self, nullptr));
            if (PyDict_Update(own.ptr(), dict) != 0) throw_python_error();
        }
        return Py_NewRef(Py_None);
    });
}

PyCFunction with_keywords(PyCFunctionWithKeywords function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

constexpr int kKeywords = METH_VARARGS | METH_KEYWORDS;
PyMethodDef methods[] = {
    {"empty", with_keywords(empty), kKeywords | METH_STATIC, "empty(shape, code): uninitialised tensor."},
    {"from_numpy", with_keywords(from_numpy), kKeywords | METH_STATIC,
     "from_numpy(array, copy=True): copy=False shares the memory and keeps the array alive."},
    {"from_dlpack", from_dlpack, METH_O | METH_STATIC, "from_dlpack(capsule_or_object): shares the memory."},
    {"asnumpy", asnumpy, METH_NOARGS, "ndarray that shares the memory."},
    {"__array__", with_keywords(array_protocol), kKeywords, nullptr},
    {"__dlpack__", with_keywords(dlpack), kKeywords, nullptr},
    {"__dlpack_device__", dlpack_device, METH_NOARGS, nullptr},
    {"view", with_keywords(view), kKeywords,
     "view(shape, strides_elems, offset_elems=0): shares the storage; the offset counts from the first element."},
    {"contiguous", contiguous, METH_NOARGS, "This tensor, or a contiguous copy."},
    {"copy", copy, METH_NOARGS, "A contiguous copy."},
    {"assign_from", assign_from, METH_O, "Copies the elements of a tensor of equal type and shape into this storage."},
    {"take_from", take_from, METH_O,
     "Like assign_from of a value that is not needed afterwards: storages are exchanged where nothing else uses them."},
    {"set_storage", set_storage, METH_O, "Becomes a view of the other tensor's storage."},
    {"item", item, METH_NOARGS, "The only element as a Python number."},
    {"__getstate__", get_state, METH_NOARGS, nullptr},
    {"__setstate__", set_state, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

template <class Function>
PyType_Slot entry(int slot, Function function) {
    return {slot, reinterpret_cast<void*>(function)};
}

}  // namespace

PyMethodDef* tensor_methods() noexcept {
    return methods;
}

void append_conversion_slots(std::vector<PyType_Slot>& slots) {
    const PyType_Slot own[] = {entry(Py_nb_int, to_int), entry(Py_nb_float, to_float), entry(Py_nb_index, to_index),
                               entry(Py_nb_bool, to_bool), entry(Py_mp_length, length)};
    slots.insert(slots.end(), std::begin(own), std::end(own));
}

}  // namespace ms
