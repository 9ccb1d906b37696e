#include "memory/storage.h"

#include <memory>

#include "memory/allocator.h"

namespace ms {
namespace {

// One block holds header and data of a small tensor: half the allocations of a small operation.
constexpr size_t kHeader = 64;
constexpr size_t kInlineLimit = 4096;

struct OwnedBlock {
    void* block;
    size_t bytes;
    OwnedBlock(size_t wanted) : block(Allocator::instance().allocate(wanted)), bytes(wanted) {}
    ~OwnedBlock() { Allocator::instance().free(block, bytes); }
    OwnedBlock(const OwnedBlock&) = delete;
    OwnedBlock& operator=(const OwnedBlock&) = delete;
    [[nodiscard]] void* detach() noexcept { return std::exchange(block, nullptr); }
};

}  // namespace

StorageRef Storage::allocate(size_t bytes) {
    static_assert(sizeof(Storage) <= kHeader);
    auto& allocator = Allocator::instance();
    if (bytes <= kInlineLimit) {
        void* block = allocator.allocate(kHeader + bytes);
        void* data = static_cast<std::byte*>(block) + kHeader;
        return StorageRef::adopt(::new (block) Storage(data, bytes, kHeader + bytes));
    }
    OwnedBlock header(kHeader);
    void* data = allocator.allocate(bytes);
    return StorageRef::adopt(::new (header.detach()) Storage(data, bytes, kHeader));
}

StorageRef Storage::wrap(void* data, size_t bytes, void* owner, Deleter deleter) {
    void* block = Allocator::instance().allocate(kHeader);
    auto* storage = ::new (block) Storage(data, bytes, kHeader);
    storage->owner_ = owner;
    storage->deleter_ = deleter;
    return StorageRef::adopt(storage);
}

void Storage::destroy() noexcept {
    auto& allocator = Allocator::instance();
    if (deleter_) {
        deleter_(owner_);
    } else if (block_bytes_ == kHeader && bytes_ > kInlineLimit) {
        allocator.free(data_, bytes_);
    }
    const size_t block_bytes = block_bytes_;
    std::destroy_at(this);
    allocator.free(this, block_bytes);
}

}  // namespace ms
