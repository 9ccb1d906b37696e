#include "memory/allocator.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/never_destroyed.h"

namespace ms {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kFineLimit = size_t{1} << 20;
constexpr size_t kMaxBytes = size_t{1} << 47;

struct SizeClass {
    size_t index;
    size_t size;
};

// Multiples of 64 up to 256, then four steps for each power of two, eight above 1 MiB (at most an eighth is lost
// there).
SizeClass class_of(size_t bytes) noexcept {
    if (bytes <= 256) {
        const size_t units = bytes == 0 ? 1 : (bytes + 63) / 64;
        return {units - 1, units * 64};
    }
    const auto power = static_cast<size_t>(std::bit_width(bytes - 1) - 1);  // 2^power < bytes <= 2^(power + 1)
    const size_t steps = bytes <= kFineLimit ? 4 : 8;
    const size_t step = (size_t{1} << power) / steps;
    const size_t above = (bytes - (size_t{1} << power) + step - 1) / step;
    return {(power - 7) * 8 + above - 1, (size_t{1} << power) + above * step};
}

void* from_system(size_t size) noexcept {
    if (size < kHugePage) return std::aligned_alloc(kAlignment, size);
    // Rounded so that madvise covers whole huge pages; the rounding is part of no size class, only of the mapping.
    void* block = std::aligned_alloc(kHugePage, (size + kHugePage - 1) / kHugePage * kHugePage);
#ifdef MADV_HUGEPAGE
    if (block) madvise(block, size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
    return block;
}

int64_t cache_limit() {
    constexpr int64_t kLeast = int64_t{256} << 20;
    const int64_t pages = sysconf(_SC_PHYS_PAGES);
    const int64_t page = sysconf(_SC_PAGE_SIZE);
    return pages > 0 && page > 0 ? std::max(kLeast, pages / 4 * page) : kLeast;
}

}  // namespace

Allocator::Allocator() {
    stats_.limit = cache_limit();
}

Allocator& Allocator::instance() {
    static NeverDestroyed<Allocator> allocator;
    return allocator.get();
}

void* Allocator::take_cached(size_t index, size_t size) noexcept {
    FreeBlock* block = free_[index];
    if (!block) return nullptr;
    free_[index] = block->next;
    stats_.cached -= static_cast<int64_t>(size);
    ++stats_.hits;
    return block;
}

void Allocator::account_new(size_t size) noexcept {
    stats_.in_use += static_cast<int64_t>(size);
    stats_.peak = std::max(stats_.peak, stats_.in_use);
    stats_.reserved_peak = std::max(stats_.reserved_peak, stats_.in_use + stats_.cached);
    ++stats_.blocks;
}

void* Allocator::allocate(size_t bytes) {
    if (bytes > kMaxBytes) throw Error(ErrorCode::kMemory, "cannot allocate " + std::to_string(bytes) + " bytes");
    const auto [index, size] = class_of(bytes);
    {
        const std::lock_guard lock(mutex_);
        if (void* block = take_cached(index, size)) {
            account_new(size);
            return block;
        }
    }
    void* block = from_system(size);
    if (!block) {
        trim();
        block = from_system(size);
    }
    if (!block) throw Error(ErrorCode::kMemory, "cannot allocate " + std::to_string(bytes) + " bytes");
    const std::lock_guard lock(mutex_);
    ++stats_.system_blocks;
    account_new(size);
    return block;
}

void Allocator::free(void* block, size_t bytes) noexcept {
    if (!block) return;
    const auto [index, size] = class_of(bytes);
    {
        const std::lock_guard lock(mutex_);
        stats_.in_use -= static_cast<int64_t>(size);
        --stats_.blocks;
        if (stats_.cached + static_cast<int64_t>(size) <= stats_.limit) {
            auto* freed = static_cast<FreeBlock*>(block);
            freed->next = free_[index];
            free_[index] = freed;
            stats_.cached += static_cast<int64_t>(size);
            return;
        }
    }
    std::free(block);
}

void Allocator::trim() noexcept {
    std::array<FreeBlock*, kClassCount> taken{};
    {
        const std::lock_guard lock(mutex_);
        std::swap(taken, free_);
        stats_.cached = 0;
    }
    for (FreeBlock* block : taken) {
        while (block) std::free(std::exchange(block, block->next));
    }
}

MemoryStats Allocator::stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
}

void Allocator::reset_peaks(bool in_use, bool reserved) noexcept {
    const std::lock_guard lock(mutex_);
    if (in_use) stats_.peak = stats_.in_use;
    if (reserved) stats_.reserved_peak = stats_.in_use + stats_.cached;
}

}  // namespace ms
