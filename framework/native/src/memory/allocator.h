// One caching allocator for tensors, arenas and scratch: size classes, free lists, a bound on what is kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace ms {

inline constexpr size_t kAlignment = 64;

struct MemoryStats {
    int64_t in_use = 0;         // bytes handed out, rounded up to size classes
    int64_t peak = 0;           // most of in_use since the last reset
    int64_t reserved_peak = 0;  // most of in_use + cached since the last reset
    int64_t cached = 0;         // bytes kept in free lists
    int64_t limit = 0;          // most that `cached` may be
    int64_t blocks = 0;         // blocks handed out
    int64_t hits = 0;           // requests served by a free list
    int64_t system_blocks = 0;  // requests that went to the operating system
};

class Allocator {
  public:
    [[nodiscard]] static Allocator& instance();

    // 64-byte aligned block of at least `bytes`; Error(kMemory) when the system has none.
    [[nodiscard]] void* allocate(size_t bytes);
    // `bytes` as given to allocate.
    void free(void* block, size_t bytes) noexcept;
    void trim() noexcept;
    [[nodiscard]] MemoryStats stats();
    void reset_peaks(bool in_use, bool reserved) noexcept;

    // Around fork, so that the child never inherits a held lock.
    void lock_for_fork() { mutex_.lock(); }
    void unlock_after_fork() { mutex_.unlock(); }

    Allocator();

  private:
    struct FreeBlock {
        FreeBlock* next;
    };
    static constexpr size_t kClassCount = 512;

    [[nodiscard]] void* take_cached(size_t index, size_t size) noexcept;
    void account_new(size_t size) noexcept;

    std::mutex mutex_;
    std::array<FreeBlock*, kClassCount> free_{};
    MemoryStats stats_;
};

}  // namespace ms
