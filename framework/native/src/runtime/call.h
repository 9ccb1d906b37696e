// What belongs to one running call: the message of its first failure, seen by every thread that works for it, and what
// carries out its effects.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ms {

// Memory of active functions, the newest on top.
class FrameStack {
  public:
    FrameStack() = default;
    ~FrameStack();
    FrameStack(const FrameStack&) = delete;
    FrameStack& operator=(const FrameStack&) = delete;

    // Error(kMemory) when there is no memory.
    [[nodiscard]] void* push(size_t bytes);
    void pop() noexcept;
    [[nodiscard]] int64_t depth() const noexcept { return static_cast<int64_t>(starts_.size()); }

  private:
    struct Segment {
        std::byte* memory;
        size_t bytes;
    };
    struct Place {
        size_t segment;
        size_t offset;
    };
    std::vector<Segment> segments_;
    std::vector<Place> starts_;
    Place top_{0, 0};
};
// Carries out effect `site` on `count` values; may throw.
using EmitFunction = std::function<void(int64_t site, int64_t count, void* const* values)>;

class CallState {
  public:
    explicit CallState(EmitFunction emit = nullptr) : emit_(std::move(emit)) {}
    ~CallState() { rewind(0); }
    CallState(const CallState&) = delete;
    CallState& operator=(const CallState&) = delete;

    // Keeps the first failure.
    void fail(int32_t code, const char* message);
    [[nodiscard]] int32_t code() const noexcept { return code_.load(std::memory_order_acquire); }
    [[nodiscard]] std::string message();

    // Blocks that live until the call ends or is rewound: see runtime_abi.h. Error(kMemory) when there is no memory.
    [[nodiscard]] void* grow(void* block, size_t used, size_t bytes);
    [[nodiscard]] size_t mark() const noexcept { return blocks_.size(); }
    void rewind(size_t mark) noexcept;

    // Frames of functions that may call themselves: see runtime_abi.h. Error(kRecursion) when there are too many.
    [[nodiscard]] void* enter(size_t bytes, const char* function);
    void leave() noexcept { frames_.pop(); }
    // The lowest address that the native stack may reach.
    void limit_stack(const void* lowest) noexcept { lowest_ = static_cast<const std::byte*>(lowest); }
    // Carries out an effect and keeps what it throws for `rethrow`; whether it threw nothing.
    [[nodiscard]] bool emit(int64_t site, int64_t count, void* const* values) noexcept;
    void rethrow() const;

    // Of the call that this thread works for; null outside of calls.
    [[nodiscard]] static CallState* current() noexcept;

  private:
    std::mutex mutex_;
    std::atomic<int32_t> code_{0};
    std::string message_;
    std::vector<void*> blocks_;
    FrameStack frames_;
    const std::byte* lowest_ = nullptr;
    EmitFunction emit_;
    std::exception_ptr thrown_;
};

// Makes `state` this thread's call for a while.
class CallScope {
  public:
    explicit CallScope(CallState* state) noexcept;
    ~CallScope();
    CallScope(const CallScope&) = delete;
    CallScope& operator=(const CallScope&) = delete;

  private:
    CallState* previous_;
};

// Long calls are announced: while there is one, workers spin briefly for the next loop instead of going to sleep at
// once.
class LongCall {
  public:
    LongCall() noexcept;
    ~LongCall();
    LongCall(const LongCall&) = delete;
    LongCall& operator=(const LongCall&) = delete;

    [[nodiscard]] static bool any() noexcept;
    static void forget_all() noexcept;
};

}  // namespace ms
