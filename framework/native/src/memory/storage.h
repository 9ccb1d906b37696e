// The memory behind tensors: counted, shared by views, owned by the allocator or by somebody else (a numpy array, a
// DLPack capsule).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/intrusive.h"

namespace ms {

class Storage {
  public:
    // Called once, when the last user is gone. May be called on any thread.
    using Deleter = void (*)(void* owner) noexcept;

    [[nodiscard]] static Counted<Storage> allocate(size_t bytes);
    [[nodiscard]] static Counted<Storage> wrap(void* data, size_t bytes, void* owner, Deleter deleter);

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] size_t bytes() const noexcept { return bytes_; }

    // Whether one reference is all that there is to this memory: it came from the allocator and one user holds it.
    [[nodiscard]] bool is_unshared() const noexcept {
        return deleter_ == nullptr && count_.load(std::memory_order_acquire) == 1;
    }

    // Counts the writes that go through tensors; a recorded computation compares it to notice that an input has
    // changed.
    [[nodiscard]] int64_t version() const noexcept { return version_.load(std::memory_order_relaxed); }
    void bump_version() noexcept { version_.fetch_add(1, std::memory_order_relaxed); }

    void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
    }

  private:
    Storage(void* data, size_t bytes, size_t block_bytes) noexcept
        : data_(static_cast<std::byte*>(data)), bytes_(bytes), block_bytes_(block_bytes) {}
    void destroy() noexcept;

    std::atomic<int64_t> count_{1};
    std::atomic<int64_t> version_{0};
    std::byte* data_;
    size_t bytes_;
    size_t block_bytes_;  // of the allocator's block that holds this header, and behind it the data when it is small
    void* owner_ = nullptr;
    Deleter deleter_ = nullptr;
};

using StorageRef = Counted<Storage>;

}  // namespace ms
