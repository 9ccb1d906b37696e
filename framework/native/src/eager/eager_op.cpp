#include "eager/eager_op.h"

#include <algorithm>
#include <memory>
#include <string>

#include "eager/cache.h"
#include "eager/plan.h"
#include "eager/tape.h"

namespace ms {
namespace {

struct EagerOp {
    PyObject_HEAD vectorcallfunc vectorcall;
    PyObject* name;
    PyObject* resolve;
    int64_t inputs;
    Cache cache;
    PyObject* dict;
    PyObject* weak_references;
};

EagerOp& as_op(PyObject* self) noexcept {
    return *reinterpret_cast<EagerOp*>(self);
}

const char* name_of(const EagerOp& op) {
    const char* name = PyUnicode_AsUTF8(op.name);
    if (!name) throw_python_error();
    return name;
}

// The arguments as vectorcall gives them.
struct Arguments {
    PyObject* const* values;
    size_t positional;
    PyObject* keywords;
    [[nodiscard]] size_t count() const noexcept {
        return positional + (keywords ? static_cast<size_t>(PyTuple_GET_SIZE(keywords)) : 0);
    }
};

// `first` is args[0] as a tuple where the operands are packed in it, and keeps them alive.
Call describe(const EagerOp& op, const Arguments& arguments, PyObject* first) {
    if (first) {
        return {PySequence_Fast_ITEMS(first), static_cast<size_t>(PyTuple_GET_SIZE(first)),
                arguments.values + 1,         arguments.count() - 1,
                arguments.keywords,           true};
    }
    const size_t operands = std::min(static_cast<size_t>(std::max<int64_t>(op.inputs, 0)), arguments.positional);
    return {arguments.values,   operands, arguments.values + operands, arguments.count() - operands,
            arguments.keywords, false};
}

Target resolve(EagerOp& op, const Arguments& arguments) {
    const auto args = positional_tuple(arguments.values, arguments.positional);
    const auto kwargs = keyword_dict(arguments.values + arguments.positional, arguments.keywords);
    const auto function = nb::borrow(op.resolve);
    auto found = checked(PyObject_CallFunctionObjArgs(function.ptr(), args.ptr(), kwargs.ptr(), nullptr));
    const Plan* plan = nb::isinstance<Plan>(found) ? nb::inst_ptr<Plan>(found) : nullptr;
    if (!plan && !PyCallable_Check(found.ptr())) {
        throw Error(ErrorCode::kType, std::string("resolve of operator ") + name_of(op) +
                                          " must return a Plan or a callable, got " + type_name(found.ptr()));
    }
    return {std::move(found), plan};
}

Target find_or_resolve(EagerOp& op, const Call& call, const Arguments& arguments) {
    const auto hash = Key::hash(call);
    if (!hash) return resolve(op, arguments);
    if (auto found = op.cache.find(*hash, call)) return std::move(*found);
    // Frozen before resolve runs: it may change the lists that it is given.
    auto key = Key::freeze(call);
    auto target = resolve(op, arguments);
    if (key) op.cache.insert(*hash, std::move(*key), target);
    return target;
}

PyObject* call(PyObject* self, PyObject* const* args, size_t flagged_count, PyObject* keywords) {
    return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
        auto& op = as_op(self);
        if (keywords && PyTuple_GET_SIZE(keywords) == 0) keywords = nullptr;
        const Arguments arguments{args, static_cast<size_t>(PyVectorcall_NARGS(flagged_count)), keywords};
        nb::object packed;
        if (op.inputs < 0 && arguments.positional > 0 && (PyTuple_Check(args[0]) || PyList_Check(args[0]))) {
            packed = checked(PySequence_Tuple(args[0]));
        }
        const Call described = describe(op, arguments, packed.ptr());
        const Target target = find_or_resolve(op, described, arguments);
        if (!target.plan) return PyObject_Vectorcall(target.callable.ptr(), args, flagged_count, keywords);
        auto result = target.plan->run(described.operands, described.operand_count, name_of(op));
        if (is_recording()) record(self, args, arguments.positional, keywords, result.ptr());
        return result.release().ptr();
    });
}

PyObject* create(PyTypeObject* type, PyObject*, PyObject*) {
    return guarded<PyObject*>(nullptr, [&] {
        auto object = checked(type->tp_alloc(type, 0));
        auto& op = as_op(object.ptr());
        std::construct_at(&op.cache);
        op.vectorcall = call;
        op.name = Py_NewRef(Py_None);
        op.resolve = Py_NewRef(Py_None);
        return object.release().ptr();
    });
}

int initialize(PyObject* self, PyObject* args, PyObject* kwargs) {
    return guarded(-1, [&] {
        static constexpr const char* kNames[] = {"name", "inputs", "resolve", nullptr};
        PyObject *name = nullptr, *resolve = nullptr;
        long long inputs = 0;
        if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ULO:EagerOp", const_cast<char**>(kNames), &name, &inputs,
                                         &resolve))
            return -1;
        if (inputs < -1) throw Error(ErrorCode::kValue, "inputs must be at least -1, got " + std::to_string(inputs));
        if (!PyCallable_Check(resolve))
            throw Error(ErrorCode::kType, "resolve must be callable, got " + type_name(resolve));
        auto& op = as_op(self);
        Py_XSETREF(op.name, Py_NewRef(name));
        Py_XSETREF(op.resolve, Py_NewRef(resolve));
        op.inputs = inputs;
        op.cache.clear();
        if (PyObject_SetAttrString(self, "__name__", name) != 0) return -1;
        return PyObject_SetAttrString(self, "__qualname__", name);
    });
}

int traverse(PyObject* self, visitproc visit, void* arg) {
    auto& op = as_op(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(op.resolve);
    Py_VISIT(op.dict);
    return op.cache.traverse(visit, arg);
}

int clear(PyObject* self) {
    auto& op = as_op(self);
    // None, not null: a finaliser may still call the operator.
    Py_XSETREF(op.resolve, Py_NewRef(Py_None));
    Py_CLEAR(op.dict);
    op.cache.clear();
    return 0;
}

void deallocate(PyObject* self) {
    auto& op = as_op(self);
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (op.weak_references) PyObject_ClearWeakRefs(self);
    Py_CLEAR(op.dict);
    Py_CLEAR(op.resolve);
    Py_CLEAR(op.name);
    std::destroy_at(&op.cache);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject* represent(PyObject* self) {
    return PyUnicode_FromFormat("<EagerOp %U>", as_op(self).name);
}

// As a class attribute it binds like a function, so that `Tensor.add = op` makes a method without a Python frame.
PyObject* bind(PyObject* self, PyObject* object, PyObject*) {
    return object && object != Py_None ? PyMethod_New(self, object) : Py_NewRef(self);
}

PyObject* clear_cache(PyObject* self, PyObject*) {
    as_op(self).cache.clear();
    return Py_NewRef(Py_None);
}

PyObject* get_cache_size(PyObject* self, void*) {
    return PyLong_FromSize_t(as_op(self).cache.size());
}

PyMethodDef methods[] = {
    {"clear_cache", clear_cache, METH_NOARGS, "Forgets every plan."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"cache_size", get_cache_size, nullptr, "Number of cached plans.", nullptr},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"name", T_OBJECT, offsetof(EagerOp, name), READONLY, "Name of the operator."},
    {"inputs", T_LONGLONG, offsetof(EagerOp, inputs), READONLY,
     "Number of operands; -1: packed in the first argument."},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(EagerOp, vectorcall), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(EagerOp, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(EagerOp, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

template <class Value>
PyType_Slot entry(int slot, Value value) {
    return {slot, reinterpret_cast<void*>(value)};
}

}  // namespace

nb::object create_eager_op_type() {
    static constexpr const char* kDoc =
        "EagerOp(name, inputs, resolve): calls plans that resolve(args, kwargs) made for arguments of the same types, "
        "shapes and attributes.";
    PyType_Slot slots[] = {
        entry(Py_tp_new, create),
        entry(Py_tp_init, initialize),
        entry(Py_tp_dealloc, deallocate),
        entry(Py_tp_traverse, traverse),
        entry(Py_tp_clear, clear),
        entry(Py_tp_call, PyVectorcall_Call),
        entry(Py_tp_repr, represent),
        entry(Py_tp_descr_get, bind),
        entry(Py_tp_methods, methods),
        entry(Py_tp_getset, attributes),
        entry(Py_tp_members, members),
        entry(Py_tp_doc, const_cast<char*>(kDoc)),
        {0, nullptr},
    };
    PyType_Spec spec{
        "mindspore._native.EagerOp", sizeof(EagerOp), 0,
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR, slots};
    return checked(PyType_FromSpec(&spec));
}

}  // namespace ms
