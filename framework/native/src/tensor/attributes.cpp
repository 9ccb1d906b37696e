#include "tensor/attributes.h"

#include <array>
#include <string>

#include "tensor/tensor.h"

namespace ms {
namespace {

std::array<PyObject*, kCodeCount> dtypes{};

template <class Read>
PyObject* integer(PyObject* self, Read read) {
    return PyLong_FromLongLong(read(*as_tensor(self)));
}

PyObject* get_shape(PyObject* self, void*) {
    return guarded<PyObject*>(nullptr, [&] { return Py_NewRef(as_tensor(self)->layout->shape_tuple()); });
}

PyObject* get_dtype(PyObject* self, void*) {
    if (PyObject* type = dtypes[static_cast<size_t>(as_tensor(self)->code)]) return Py_NewRef(type);
    PyErr_SetString(PyExc_RuntimeError,
                    "the element types are not known yet; call set_dtypes first, or read dtype_code");
    return nullptr;
}

PyObject* get_strides(PyObject* self, void*) {
    return guarded<PyObject*>(nullptr, [&] {
        const auto& tensor = *as_tensor(self);
        auto tuple = checked(PyTuple_New(tensor.layout->ndim()));
        for (int64_t i = 0; i < tensor.layout->ndim(); ++i) {
            const int64_t stride = tensor.layout->strides()[static_cast<size_t>(i)] * tensor.itemsize();
            PyTuple_SET_ITEM(tuple.ptr(), i, checked(PyLong_FromLongLong(stride)).release().ptr());
        }
        return tuple.release().ptr();
    });
}

PyObject* get_code(PyObject* self, void*) {
    return integer(self, [](const Tensor& t) { return t.code; });
}
PyObject* get_itemsize(PyObject* self, void*) {
    return integer(self, [](const Tensor& t) { return t.itemsize(); });
}
PyObject* get_nbytes(PyObject* self, void*) {
    return integer(self, [](const Tensor& t) { return t.nbytes(); });
}
PyObject* get_ndim(PyObject* self, void*) {
    return integer(self, [](const Tensor& t) { return t.layout->ndim(); });
}
PyObject* get_size(PyObject* self, void*) {
    return integer(self, [](const Tensor& t) { return t.layout->size(); });
}
PyObject* get_version(PyObject* self, void*) {
    return integer(self, [](const Tensor& t) { return t.version(); });
}
PyObject* get_data_ptr(PyObject* self, void*) {
    return PyLong_FromVoidPtr(as_tensor(self)->data);
}
PyObject* get_is_contiguous(PyObject* self, void*) {
    return PyBool_FromLong(as_tensor(self)->layout->is_contiguous());
}

PyGetSetDef attributes[] = {
    {"shape", get_shape, nullptr, "Tuple of dimensions.", nullptr},
    {"dtype", get_dtype, nullptr, "Element type.", nullptr},
    {"dtype_code", get_code, nullptr, "Code of the element type.", nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes of one element.", nullptr},
    {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
    {"ndim", get_ndim, nullptr, "Number of dimensions.", nullptr},
    {"size", get_size, nullptr, "Number of elements.", nullptr},
    {"strides", get_strides, nullptr, "Bytes from one element to the next along each dimension.", nullptr},
    {"data_ptr", get_data_ptr, nullptr, "Address of the first element.", nullptr},
    {"is_contiguous", get_is_contiguous, nullptr, "Whether the elements lie in row-major order without gaps.", nullptr},
    {"version", get_version, nullptr, "Grows with each write through a tensor of this storage.", nullptr},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

}  // namespace

void set_dtypes(nb::list types) {
    if (nb::len(types) != kCodeCount) {
        throw Error(ErrorCode::kValue,
                    "expected " + std::to_string(kCodeCount) + " element types, got " + std::to_string(nb::len(types)));
    }
    for (size_t code = 0; code < kCodeCount; ++code) {
        const nb::object type = types[code];
        const auto& known = dtype_info(static_cast<int64_t>(code));
        if (nb::cast<size_t>(type.attr("code")) != code || nb::cast<int64_t>(type.attr("itemsize")) != known.itemsize) {
            throw Error(ErrorCode::kValue, "element type " + std::to_string(code) + " must be " +
                                               std::string(known.name) + " of " + std::to_string(known.itemsize) +
                                               " bytes, got " + nb::repr(type).c_str());
        }
    }
    for (size_t code = 0; code < kCodeCount; ++code) {
        const nb::object previous = nb::steal(std::exchange(dtypes[code], nb::object(types[code]).release().ptr()));
    }
}

PyGetSetDef* tensor_attributes() noexcept {
    return attributes;
}

}  // namespace ms
