// TensorBase as a CPython type: life cycle and slots.
#include <memory>

#include "base/never_destroyed.h"
#include "tensor/attributes.h"
#include "tensor/interop.h"
#include "tensor/operators.h"

namespace ms {
namespace {

// What a tensor is before __init__.
const TensorValue& nothing() {
    static NeverDestroyed<TensorValue> value(empty_value(Layout::contiguous({0}), kFloat32));
    return value.get();
}

PyObject* create(PyTypeObject* type, PyObject*, PyObject*) {
    return guarded<PyObject*>(nullptr, [&] { return make_tensor(nothing(), type).release().ptr(); });
}

int initialize(PyObject* self, PyObject* args, PyObject* kwargs) {
    return guarded(-1, [&] {
        static constexpr const char* kNames[] = {"input", nullptr};
        PyObject* input = nullptr;
        if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:TensorBase", const_cast<char**>(kNames), &input)) return -1;
        set_value(*as_tensor(self),
                  is_tensor(input) ? value_of(*as_tensor(input)) : value_from_array(input, Sharing::kShareIfPossible));
        return 0;
    });
}

int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_tensor(self)->dict);
    return 0;
}

int clear(PyObject* self) {
    Py_CLEAR(as_tensor(self)->dict);
    return 0;
}

void deallocate(PyObject* self) {
    auto* tensor = as_tensor(self);
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (tensor->weak_references) PyObject_ClearWeakRefs(self);
    Py_CLEAR(tensor->dict);
    std::destroy_at(&tensor->layout);
    std::destroy_at(&tensor->storage);
    type->tp_free(self);
    Py_DECREF(type);
}

PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(Tensor, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Tensor, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

template <class Value>
PyType_Slot entry(int slot, Value value) {
    return {slot, reinterpret_cast<void*>(value)};
}

}  // namespace

nb::object create_tensor_type() {
    static constexpr const char* kDoc = "TensorBase(input): a tensor that shares the storage of a tensor or array.";
    std::vector<PyType_Slot> slots{
        entry(Py_tp_new, create),
        entry(Py_tp_init, initialize),
        entry(Py_tp_dealloc, deallocate),
        entry(Py_tp_traverse, traverse),
        entry(Py_tp_clear, clear),
        entry(Py_tp_methods, tensor_methods()),
        entry(Py_tp_getset, tensor_attributes()),
        entry(Py_tp_members, members),
        entry(Py_bf_getbuffer, tensor_get_buffer),
        entry(Py_bf_releasebuffer, tensor_release_buffer),
        entry(Py_tp_doc, const_cast<char*>(kDoc)),
    };
    append_operator_slots(slots);
    append_conversion_slots(slots);
    slots.push_back({0, nullptr});
    PyType_Spec spec{"mindspore._native.TensorBase", sizeof(Tensor), 0,
                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots.data()};
    auto type = checked(PyType_FromSpec(&spec));
    tensor_base_type = reinterpret_cast<PyTypeObject*>(type.ptr());
    tensor_result_type = tensor_base_type;
    return type;
}

}  // namespace ms
