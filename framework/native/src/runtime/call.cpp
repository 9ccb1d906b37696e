#include "runtime/call.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "memory/allocator.h"
#include "runtime/runtime.h"

namespace ms {
namespace {

constexpr size_t kFirstSegment = size_t{64} << 10;

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

void* CallState::enter(size_t bytes, const char* function) {
    const std::byte here{};
    const auto limit = max_call_depth();
    const bool deep = frames_.depth() >= limit;
    if (deep || &here < lowest_) {
        const auto why = deep ? "more than " + std::to_string(limit) +
                                    " calls deep. Let it end earlier, raise the limit with "
                                    "set_context(max_call_depth=...)"
                              : "so deep (" + std::to_string(frames_.depth()) +
                                    " calls) that the native stack is used up. Let it end earlier";
        throw Error(ErrorCode::kRecursion, std::string(function) + " calls itself " + why + ", or write a loop.");
    }
    return frames_.push(bytes);
}

FrameStack::~FrameStack() {
    for (const auto& segment : segments_) Allocator::instance().free(segment.memory, segment.bytes);
}

void* FrameStack::push(size_t bytes) {
    const size_t wanted = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    Place place = top_;
    while (place.segment < segments_.size() && place.offset + wanted > segments_[place.segment].bytes) {
        place = {place.segment + 1, 0};
    }
    if (place.segment == segments_.size()) {
        const size_t last = segments_.empty() ? kFirstSegment / 2 : segments_.back().bytes;
        const size_t size = std::max(wanted, 2 * last);
        segments_.push_back({static_cast<std::byte*>(Allocator::instance().allocate(size)), size});
    }
    starts_.push_back(top_);
    top_ = {place.segment, place.offset + wanted};
    return segments_[place.segment].memory + place.offset;
}

void FrameStack::pop() noexcept {
    top_ = starts_.back();
    starts_.pop_back();
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
