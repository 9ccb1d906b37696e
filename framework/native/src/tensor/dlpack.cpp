// DLPack both ways, versioned and not; memory is shared, capsules are consumed once.
#include <memory>
#include <string>

#include "tensor/dlpack_abi.h"
#include "tensor/interop.h"

namespace ms {
namespace {

template <class M>
struct Names;
template <>
struct Names<dlpack::Managed> {
    static constexpr const char* kFresh = "dltensor";
    static constexpr const char* kUsed = "used_dltensor";
};
template <>
struct Names<dlpack::ManagedVersioned> {
    static constexpr const char* kFresh = "dltensor_versioned";
    static constexpr const char* kUsed = "used_dltensor_versioned";
};

// What an exported capsule owns. It holds no Python object, so the consumer may delete it without the GIL.
template <class M>
struct Exported {
    M managed{};
    StorageRef storage;
    Dims shape;
    Dims strides;
};

template <class M>
void delete_exported(M* managed) {
    const std::unique_ptr<Exported<M>> exported(static_cast<Exported<M>*>(managed->context));
}

template <class M>
void delete_capsule(PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, Names<M>::kFresh)) return;
    auto* managed = static_cast<M*>(PyCapsule_GetPointer(capsule, Names<M>::kFresh));
    managed->deleter(managed);
}

template <class M>
nb::object export_capsule(TensorValue value) {
    const auto& type = dtype_info(value.code);
    auto exported = std::make_unique<Exported<M>>();
    exported->storage = std::move(value.storage);
    exported->shape = value.layout->shape();
    exported->strides = value.layout->strides();
    auto& managed = exported->managed;
    managed.array = {value.data,
                     {dlpack::kCpu, 0},
                     static_cast<int32_t>(exported->shape.size()),
                     {static_cast<uint8_t>(type.dl_kind), static_cast<uint8_t>(type.itemsize * 8), 1},
                     exported->shape.data(),
                     exported->strides.data(),
                     0};
    if constexpr (std::is_same_v<M, dlpack::ManagedVersioned>) managed.version = {dlpack::kMajor, dlpack::kMinor};
    managed.context = exported.get();
    managed.deleter = delete_exported<M>;
    auto capsule = checked(PyCapsule_New(&managed, Names<M>::kFresh, delete_capsule<M>));
    static_cast<void>(exported.release());
    return capsule;
}

template <class M>
void release_imported(void* owner) noexcept {
    auto* managed = static_cast<M*>(owner);
    if (managed->deleter) managed->deleter(managed);
}

int32_t imported_code(const dlpack::Array& array) {
    if (array.device.type != dlpack::kCpu) {
        throw Error(ErrorCode::kBuffer, "expected a DLPack tensor on the CPU (device type 1), got device type " +
                                            std::to_string(array.device.type) + "; copy it to the CPU first");
    }
    const auto code = code_of_dlpack(array.dtype.code, array.dtype.bits);
    if (code && array.dtype.lanes == 1) return *code;
    throw Error(ErrorCode::kBuffer, "no tensor element type for DLPack type code " + std::to_string(array.dtype.code) +
                                        " with " + std::to_string(array.dtype.bits) + " bits and " +
                                        std::to_string(array.dtype.lanes) + " lanes");
}

template <class M>
TensorValue import_capsule(PyObject* capsule) {
    auto* managed = static_cast<M*>(PyCapsule_GetPointer(capsule, Names<M>::kFresh));
    if (!managed) throw_python_error();
    if constexpr (std::is_same_v<M, dlpack::ManagedVersioned>) {
        if (managed->version.major != dlpack::kMajor)
            throw Error(ErrorCode::kBuffer, "expected DLPack version 1, got another");
        if (managed->flags & dlpack::kReadOnly) {
            throw Error(ErrorCode::kBuffer, "the DLPack tensor is read-only; export a writable copy of it");
        }
    }
    const auto& array = managed->array;
    const int32_t code = imported_code(array);
    Dims shape(array.shape, array.shape + array.ndim);
    auto layout = array.strides ? Layout::strided(shape, Dims(array.strides, array.strides + array.ndim))
                                : Layout::contiguous(shape);
    auto* data = static_cast<std::byte*>(array.data) + array.byte_offset;
    const int64_t itemsize = itemsize_of(code);
    if (!is_aligned(data, itemsize))
        throw Error(ErrorCode::kBuffer, "the DLPack tensor's data is not aligned to its item size");
    const auto [low, high] = layout->extent();
    auto storage = Storage::wrap(data + low * itemsize, static_cast<size_t>((high - low) * itemsize), managed,
                                 release_imported<M>);
    PyCapsule_SetName(capsule, Names<M>::kUsed);
    return {std::move(storage), std::move(layout), data, code};
}

nb::object capsule_of(PyObject* source) {
    if (PyCapsule_CheckExact(source)) return nb::borrow(source);
    const auto method = nb::steal(PyObject_GetAttrString(source, "__dlpack__"));
    if (!method.is_valid()) {
        PyErr_Clear();
        throw Error(ErrorCode::kType,
                    "expected a DLPack capsule or an object with __dlpack__, got " + type_name(source));
    }
    const auto none = checked(PyTuple_New(0));
    const auto keywords = checked(Py_BuildValue("{s:(ii)}", "max_version", dlpack::kMajor, dlpack::kMinor));
    auto capsule = nb::steal(PyObject_Call(method.ptr(), none.ptr(), keywords.ptr()));
    if (capsule.is_valid()) return capsule;
    // Producers from before DLPack 1.0 do not know the keyword.
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw_python_error();
    PyErr_Clear();
    return checked(PyObject_CallNoArgs(method.ptr()));
}

}  // namespace

nb::object dlpack_capsule(const Tensor& tensor, bool versioned, bool copy) {
    auto value = copy ? copied_value(tensor) : value_of(tensor);
    return versioned ? export_capsule<dlpack::ManagedVersioned>(std::move(value))
                     : export_capsule<dlpack::Managed>(std::move(value));
}

TensorValue value_from_dlpack(PyObject* source) {
    const auto capsule = capsule_of(source);
    if (PyCapsule_IsValid(capsule.ptr(), Names<dlpack::ManagedVersioned>::kFresh)) {
        return import_capsule<dlpack::ManagedVersioned>(capsule.ptr());
    }
    if (PyCapsule_IsValid(capsule.ptr(), Names<dlpack::Managed>::kFresh))
        return import_capsule<dlpack::Managed>(capsule.ptr());
    throw Error(ErrorCode::kBuffer,
                "expected a fresh DLPack capsule, got one that was consumed already or holds something else");
}

}  // namespace ms
