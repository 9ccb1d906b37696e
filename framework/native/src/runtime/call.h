// What belongs to one running call: the message of its first failure, seen by every thread that works for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace ms {

class CallState {
  public:
    // Keeps the first failure.
    void fail(int32_t code, const char* message);
    [[nodiscard]] int32_t code() const noexcept { return code_.load(std::memory_order_acquire); }
    [[nodiscard]] std::string message();

    // Of the call that this thread works for; null outside of calls.
    [[nodiscard]] static CallState* current() noexcept;

  private:
    std::mutex mutex_;
    std::atomic<int32_t> code_{0};
    std::string message_;
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
