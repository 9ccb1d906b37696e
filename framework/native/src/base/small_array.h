// An array whose length is known when it is made; short ones live on the stack.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

namespace ms {

template <class T, size_t kInline>
class SmallArray {
  public:
    explicit SmallArray(size_t count) : size_(count) {
        if (count > kInline) heap_ = std::make_unique<T[]>(count);
    }
    [[nodiscard]] T* data() noexcept { return heap_ ? heap_.get() : inline_.data(); }
    [[nodiscard]] size_t size() const noexcept { return size_; }
    [[nodiscard]] T& operator[](size_t i) noexcept { return data()[i]; }
    [[nodiscard]] T* begin() noexcept { return data(); }
    [[nodiscard]] T* end() noexcept { return data() + size_; }

  private:
    size_t size_;
    std::array<T, kInline> inline_;
    std::unique_ptr<T[]> heap_;
};

}  // namespace ms
