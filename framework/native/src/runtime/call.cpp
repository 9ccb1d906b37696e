#include "runtime/call.h"

#include <utility>

namespace ms {
namespace {

thread_local CallState* current_call = nullptr;
std::atomic<int> long_calls{0};

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
