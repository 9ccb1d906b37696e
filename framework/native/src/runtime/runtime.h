// The one Runtime table that kernels and compiled graphs receive.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime_abi.h"

namespace ms {

class CallState;

inline constexpr int32_t kCancelled = 125;
inline constexpr int32_t kTooDeep = 124;
inline constexpr int32_t kRaised = 126;

[[nodiscard]] const Runtime* runtime() noexcept;

// Reads MS_NUM_THREADS and the machine's limits, and registers the fork handlers. Error(kValue) for a malformed
// variable.
void initialize_runtime();

[[nodiscard]] int64_t thread_count() noexcept;
void set_thread_count(int64_t count);
void set_cancel(bool cancel) noexcept;

// Whether the run is to stop: signals and other threads say so at any time.
[[nodiscard]] inline bool is_cancelled(const Runtime* rt) noexcept {
    return std::atomic_ref(const_cast<int32_t&>(*rt->cancel)).load(std::memory_order_relaxed) != 0;
}

// How many calls of recursive functions may be active in one run.
[[nodiscard]] int64_t max_call_depth() noexcept;
void set_max_call_depth(int64_t depth);

// Error(kRecursion) for calls that were too deep, else Error(kRuntime), with the remembered message when a kernel
// returned `code` or any of its threads failed; what an effect threw; for a run that a signal cancelled what Python
// raises for that signal.
void check_call(CallState& call, int32_t code, const char* what);

}  // namespace ms
