#include "runtime/call.h"

#include <cstring>
#include <utility>

#include "base/error.h"
#include "memory/allocator.h"

namespace ms {
namespace {

thread_local CallState* current_call = nullptr;
std::atomic<int> long_calls{0};

// In front of each block of a call.
struct BlockHead {
    size_t bytes;
    size_t position;
};
static_assert(sizeof(BlockHead) <= kAlignment);

BlockHead* head_of(void* block) noexcept {
    return reinterpret_cast<BlockHead*>(static_cast<std::byte*>(block) - kAlignment);
}

}  // namespace

void CallState::fail(int32_t code, const char* message) {
    const std::lock_guard lock(mutex_);
    if (code_.load(std::memory_order_relaxed) != 0) return;
    message_ = message ? message : "";
    code_.store(code != 0 ? code : 1, std::memory_order_release);
}

std::string CallState::message() {
    const std::lock_guard lock(mutex_);
    return message_;
}

void* CallState::grow(void* block, size_t used, size_t bytes) {
    const size_t position = block ? head_of(block)->position : blocks_.size();
    if (!block) blocks_.push_back(nullptr);
    auto* memory = static_cast<std::byte*>(Allocator::instance().allocate(bytes + kAlignment));
    ::new (memory) BlockHead{bytes + kAlignment, position};
    blocks_[position] = memory + kAlignment;
    if (block) {
        std::memcpy(blocks_[position], block, used);
        Allocator::instance().free(head_of(block), head_of(block)->bytes);
    }
    return blocks_[position];
}

void CallState::rewind(size_t mark) noexcept {
    while (blocks_.size() > mark) {
        if (void* block = blocks_.back()) Allocator::instance().free(head_of(block), head_of(block)->bytes);
        blocks_.pop_back();
    }
}

bool CallState::emit(int64_t site, int64_t count, void* const* values) noexcept {
    try {
        if (!emit_) throw Error(ErrorCode::kRuntime, "the graph has effects, but nothing carries them out");
        emit_(site, count, values);
        return true;
    } catch (...) {
        thrown_ = std::current_exception();
        return false;
    }
}

void CallState::rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
}

CallState* CallState::current() noexcept {
    return current_call;
}

CallScope::CallScope(CallState* state) noexcept : previous_(std::exchange(current_call, state)) {}
CallScope::~CallScope() {
    current_call = previous_;
}

LongCall::LongCall() noexcept {
    long_calls.fetch_add(1, std::memory_order_relaxed);
}
LongCall::~LongCall() {
    long_calls.fetch_sub(1, std::memory_order_relaxed);
}
bool LongCall::any() noexcept {
    return long_calls.load(std::memory_order_relaxed) > 0;
}
void LongCall::forget_all() noexcept {
    long_calls.store(0, std::memory_order_relaxed);
}

}  // namespace ms
