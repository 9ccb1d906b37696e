// Shape and strides of a tensor: immutable and shared, so that a result costs one count and equal shapes are often one
// pointer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/intrusive.h"
#include "bindings/python.h"

namespace ms {

using Dims = std::vector<int64_t>;

// The count is not atomic: layouts are touched with the GIL held only.
class Layout {
  public:
    [[nodiscard]] static Counted<Layout> contiguous(Dims shape);
    [[nodiscard]] static Counted<Layout> strided(Dims shape, Dims strides);

    [[nodiscard]] const Dims& shape() const noexcept { return shape_; }
    [[nodiscard]] const Dims& strides() const noexcept { return strides_; }  // in elements
    [[nodiscard]] int64_t ndim() const noexcept { return static_cast<int64_t>(shape_.size()); }
    [[nodiscard]] int64_t size() const noexcept { return size_; }
    [[nodiscard]] bool is_contiguous() const noexcept { return contiguous_; }
    [[nodiscard]] uint64_t shape_hash() const noexcept { return hash_; }
    [[nodiscard]] bool same_shape(const Layout& other) const noexcept {
        return this == &other || shape_ == other.shape_;
    }
    // The smallest and one past the largest element that is reached, from the first one.
    [[nodiscard]] std::pair<int64_t, int64_t> extent() const noexcept;
    // Borrowed; made once.
    [[nodiscard]] PyObject* shape_tuple();

    void retain() noexcept { ++count_; }
    void release() noexcept {
        if (--count_ == 0) delete this;
    }

    Layout(const Layout&) = delete;
    Layout& operator=(const Layout&) = delete;

  private:
    Layout(Dims shape, Dims strides);
    ~Layout() = default;

    int64_t count_ = 1;
    Dims shape_;
    Dims strides_;
    int64_t size_;
    bool contiguous_;
    uint64_t hash_;
    nb::object tuple_;
};

using LayoutRef = Counted<Layout>;

// Number of elements; Error(kValue) for negative dimensions and for sizes beyond 2^62.
[[nodiscard]] int64_t element_count(std::span<const int64_t> shape);
[[nodiscard]] Dims row_major_strides(std::span<const int64_t> shape);
// "(2, 3)" as Python prints it.
[[nodiscard]] std::string shape_text(std::span<const int64_t> shape);
// A tuple or list of integers; Error(kType) names `what`.
[[nodiscard]] Dims dims_from_python(PyObject* sequence, const char* what);

}  // namespace ms
