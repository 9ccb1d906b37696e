#include "tensor/layout.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace ms {
namespace {

bool is_row_major(const Dims& shape, const Dims& strides, int64_t size) {
    if (size <= 1) return true;
    int64_t expected = 1;
    for (size_t i = shape.size(); i-- > 0;) {
        if (shape[i] != 1 && strides[i] != expected) return false;
        expected *= shape[i];
    }
    return true;
}

uint64_t hash_of(const Dims& shape) {
    uint64_t hash = shape.size();
    for (const int64_t dim : shape) hash = mix(hash, static_cast<uint64_t>(dim));
    return hash;
}

}  // namespace

Layout::Layout(Dims shape, Dims strides)
    : shape_(std::move(shape)),
      strides_(std::move(strides)),
      size_(element_count(shape_)),
      contiguous_(is_row_major(shape_, strides_, size_)),
      hash_(hash_of(shape_)) {}

LayoutRef Layout::contiguous(Dims shape) {
    auto strides = row_major_strides(shape);
    return LayoutRef::adopt(new Layout(std::move(shape), std::move(strides)));
}

LayoutRef Layout::strided(Dims shape, Dims strides) {
    if (shape.size() != strides.size()) {
        throw Error(ErrorCode::kValue, "shape " + shape_text(shape) + " and strides " + shape_text(strides) +
                                           " must have the same length");
    }
    return LayoutRef::adopt(new Layout(std::move(shape), std::move(strides)));
}

std::pair<int64_t, int64_t> Layout::extent() const noexcept {
    if (size_ == 0) return {0, 0};
    int64_t low = 0, high = 0;
    for (size_t i = 0; i < shape_.size(); ++i) {
        const int64_t reach = (shape_[i] - 1) * strides_[i];
        (reach < 0 ? low : high) += reach;
    }
    return {low, high + 1};
}

PyObject* Layout::shape_tuple() {
    if (!tuple_.is_valid()) {
        auto tuple = checked(PyTuple_New(ndim()));
        for (int64_t i = 0; i < ndim(); ++i) {
            PyTuple_SET_ITEM(tuple.ptr(), i,
                             checked(PyLong_FromLongLong(shape_[static_cast<size_t>(i)])).release().ptr());
        }
        tuple_ = std::move(tuple);
    }
    return tuple_.ptr();
}

int64_t element_count(std::span<const int64_t> shape) {
    constexpr int64_t kMost = int64_t{1} << 62;
    int64_t count = 1;
    for (const int64_t dim : shape) {
        if (dim < 0) throw Error(ErrorCode::kValue, "dimensions must not be negative, got shape " + shape_text(shape));
    }
    // A zero anywhere makes the count zero, whatever the product of the others.
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
    for (const int64_t dim : shape) {
        if (dim > kMost / count)
            throw Error(ErrorCode::kValue, "shape " + shape_text(shape) + " has too many elements");
        count *= dim;
    }
    return count;
}

Dims row_major_strides(std::span<const int64_t> shape) {
    Dims strides(shape.size());
    uint64_t step = 1;
    for (size_t i = shape.size(); i-- > 0;) {
        strides[i] = static_cast<int64_t>(step);
        step *= static_cast<uint64_t>(std::max<int64_t>(shape[i], 1));
    }
    return strides;
}

std::string shape_text(std::span<const int64_t> shape) {
    std::string text = "(";
    for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + (shape.size() == 1 ? ",)" : ")");
}

Dims dims_from_python(PyObject* sequence, const char* what) {
    if (!PyTuple_Check(sequence) && !PyList_Check(sequence)) {
        throw Error(ErrorCode::kType, std::string(what) + " must be a tuple of integers, got " + type_name(sequence));
    }
    Dims dims;
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);
    dims.reserve(static_cast<size_t>(count));
    for (Py_ssize_t i = 0; i < count; ++i) {
        const auto index = nb::steal(PyNumber_Index(PySequence_Fast_GET_ITEM(sequence, i)));
        const int64_t value = index.is_valid() ? PyLong_AsLongLong(index.ptr()) : -1;
        if (value == -1 && PyErr_Occurred()) throw_python_error();
        dims.push_back(value);
    }
    return dims;
}

}  // namespace ms
