#include "runtime/deep.h"

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/call.h"
#include "runtime/runtime.h"

namespace ms {
namespace {

constexpr size_t kBytesPerCall = 4096;
// For what a call runs besides: kernels, the thread pool, signal handlers.
constexpr size_t kSpare = size_t{256} << 10;
constexpr size_t kMost = size_t{1} << 30;

// The lowest address of this thread's stack.
const std::byte* lowest_address() {
    static thread_local const std::byte* known = nullptr;
    if (known) return known;
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return nullptr;
    void* lowest = nullptr;
    size_t bytes = 0;
    pthread_attr_getstack(&attributes, &lowest, &bytes);
    pthread_attr_destroy(&attributes);
    known = static_cast<const std::byte*>(lowest);
    return known;
}

struct Work {
    CallState& call;
    const std::function<void()>& run;
};

void run_here(const Work& work, const std::byte* lowest) {
    work.call.limit_stack(lowest ? lowest + kSpare : nullptr);
    work.run();
}

void* on_thread(void* given) {
    const auto& work = *static_cast<const Work*>(given);
    const CallScope scope(&work.call);
    run_here(work, lowest_address());
    return nullptr;
}

bool run_on_thread(Work& work, size_t bytes) {
    pthread_attr_t attributes;
    pthread_t thread{};
    if (pthread_attr_init(&attributes) != 0) return false;
    const bool started = pthread_attr_setstacksize(&attributes, bytes) == 0 &&
                         pthread_create(&thread, &attributes, on_thread, &work) == 0;
    pthread_attr_destroy(&attributes);
    if (started) pthread_join(thread, nullptr);
    return started;
}

}  // namespace

void run_deep(CallState& call, const std::function<void()>& work) {
    Work given{call, work};
    const std::byte here{};
    const auto* lowest = lowest_address();
    const auto depth = static_cast<size_t>(max_call_depth());
    const size_t wanted = std::min(depth, kMost / kBytesPerCall) * kBytesPerCall + 2 * kSpare;
    const bool enough = lowest && static_cast<size_t>(&here - lowest) >= wanted;
    // Less stack than asked for is no error: `enter` looks at what is left.
    for (size_t bytes = wanted; !enough && bytes >= (size_t{8} << 20); bytes /= 2) {
        if (run_on_thread(given, bytes)) return;
    }
    run_here(given, lowest);
}

}  // namespace ms
