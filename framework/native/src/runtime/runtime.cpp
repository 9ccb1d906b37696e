#include "runtime/runtime.h"

#include <pthread.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>

#include "base/error.h"
#include "base/never_destroyed.h"
#include "memory/allocator.h"
#include "runtime/call.h"
#include "runtime/cpu.h"
#include "runtime/interrupt.h"
#include "runtime/pool.h"

namespace ms {
namespace {

constexpr int64_t kMostThreads = 1024;
constexpr int32_t kOutOfMemory = 12;
constexpr int32_t kOutOfBounds = 33;  // a run-time index: becomes an IndexError

// The pool is replaced, never changed: a running loop keeps the one that it started on.
struct PoolHolder {
    std::mutex mutex;
    std::shared_ptr<Pool> pool;
};

int32_t cancel_flag = 0;
std::atomic<int64_t> call_depth{1000};
NeverDestroyed<PoolHolder>& holder() {
    static NeverDestroyed<PoolHolder> instance;
    return instance;
}

// Other threads may set it while a loop starts.
int64_t threads_of(const Runtime* rt) noexcept {
    return std::atomic_ref(const_cast<int64_t&>(rt->threads)).load(std::memory_order_relaxed);
}

std::shared_ptr<Pool> current_pool(int64_t threads) {
    auto& [mutex, pool] = holder().get();
    const std::lock_guard lock(mutex);
    if (!pool || pool->threads() != threads) pool = std::make_shared<Pool>(threads);
    return pool;
}

int32_t parallel_for(const Runtime* rt, int64_t total, int64_t grain, RangeFn fn, void* context) {
    if (total <= 0) return 0;
    if (grain <= 0) grain = total;
    const int64_t threads = threads_of(rt);
    const bool alone = total <= grain || threads <= 1 || inside_chunk();
    try {
        if (alone || !current_pool(threads)->try_run(rt, total, grain, fn, context)) {
            run_inline(rt, total, grain, fn, context);
        }
    } catch (const std::exception& error) {
        return rt->fail(rt, kOutOfMemory, error.what());
    }
    if (const auto* call = CallState::current(); call && call->code() != 0) return call->code();
    return is_cancelled(rt) ? kCancelled : 0;
}

class Scratch {
  public:
    Scratch() = default;
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { Allocator::instance().free(block_, bytes_); }

    [[nodiscard]] void* at_least(size_t bytes) {
        if (bytes > bytes_ || !block_) {
            Allocator::instance().free(std::exchange(block_, nullptr), bytes_);
            bytes_ = bytes;
            block_ = Allocator::instance().allocate(bytes);
        }
        return block_;
    }

  private:
    void* block_ = nullptr;
    size_t bytes_ = 0;
};

template <class Allocate>
void* or_fail(const Runtime* rt, int64_t bytes, Allocate allocate) {
    try {
        if (bytes < 0) throw Error(ErrorCode::kMemory, "cannot allocate " + std::to_string(bytes) + " bytes");
        return allocate(static_cast<size_t>(bytes));
    } catch (const std::exception& error) {
        rt->fail(rt, kOutOfMemory, error.what());
        return nullptr;
    }
}

void* scratch(const Runtime* rt, int64_t bytes) {
    static thread_local Scratch memory;
    return or_fail(rt, bytes, [](size_t wanted) { return memory.at_least(wanted); });
}

// release knows no size, so the block begins with it.
void* allocate(const Runtime* rt, int64_t bytes) {
    return or_fail(rt, bytes, [](size_t wanted) -> void* {
        auto* block = static_cast<std::byte*>(Allocator::instance().allocate(wanted + kAlignment));
        std::memcpy(block, &wanted, sizeof(wanted));
        return block + kAlignment;
    });
}

void release(const Runtime*, void* pointer) {
    if (!pointer) return;
    auto* block = static_cast<std::byte*>(pointer) - kAlignment;
    size_t wanted = 0;
    std::memcpy(&wanted, block, sizeof(wanted));
    Allocator::instance().free(block, wanted + kAlignment);
}

int32_t fail(const Runtime*, int32_t code, const char* message) {
    if (auto* call = CallState::current()) call->fail(code, message);
    return code;
}

void* grow(const Runtime* rt, void* block, int64_t used, int64_t bytes) {
    return or_fail(rt, bytes, [&](size_t wanted) -> void* {
        auto* call = CallState::current();
        if (!call) throw Error(ErrorCode::kMemory, "memory of a call was asked for outside of a call");
        return call->grow(block, static_cast<size_t>(used), wanted);
    });
}

void* enter(const Runtime* rt, int64_t bytes, const char* function) {
    try {
        auto* call = CallState::current();
        if (!call) throw Error(ErrorCode::kRuntime, "a recursive function was called outside of a call");
        return call->enter(static_cast<size_t>(bytes), function);
    } catch (const Error& error) {
        rt->fail(rt, error.code() == ErrorCode::kRecursion ? kTooDeep : kOutOfMemory, error.what());
    } catch (const std::exception& error) {
        rt->fail(rt, kOutOfMemory, error.what());
    }
    return nullptr;
}

void leave(const Runtime*) {
    if (auto* call = CallState::current()) call->leave();
}

int64_t mark(const Runtime*) {
    const auto* call = CallState::current();
    return call ? static_cast<int64_t>(call->mark()) : 0;
}

void rewind_call(const Runtime*, int64_t mark) {
    if (auto* call = CallState::current()) call->rewind(static_cast<size_t>(mark));
}

int32_t emit(const Runtime* rt, int64_t site, int64_t count, void* const* values) {
    auto* call = CallState::current();
    if (!call) return rt->fail(rt, kRaised, "an effect was asked for outside of a call");
    return call->emit(site, count, values) ? 0 : kRaised;
}

Runtime table{MS_RUNTIME_ABI_VERSION,
              1,
              parallel_for,
              scratch,
              allocate,
              release,
              fail,
              &cancel_flag,
              grow,
              mark,
              rewind_call,
              enter,
              leave,
              emit,
              0};

void before_fork() {
    holder().get().mutex.lock();
    Allocator::instance().lock_for_fork();
}

void after_fork_in_parent() {
    Allocator::instance().unlock_after_fork();
    holder().get().mutex.unlock();
}

// The child has none of the pool's threads: the old pool is abandoned (its destructor would wait for them), the next
// loop starts a new one.
void after_fork_in_child() {
    after_fork_in_parent();
    static_cast<void>(::new (static_cast<void*>(&holder().get().pool)) std::shared_ptr<Pool>());
    LongCall::forget_all();
    Interruptible::forget_all();
}

int64_t threads_from_environment() {
    const char* text = std::getenv("MS_NUM_THREADS");
    if (!text || !*text) return usable_processors();
    int64_t count = 0;
    const char* end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, count);
    if (error != std::errc{} || stop != end || count < 1 || count > kMostThreads) {
        throw Error(ErrorCode::kValue, "the environment variable MS_NUM_THREADS must be an integer from 1 to " +
                                           std::to_string(kMostThreads) + ", got '" + text +
                                           "'; unset it to use all cores");
    }
    return count;
}

}  // namespace

const Runtime* runtime() noexcept {
    return &table;
}

void initialize_runtime() {
    table.threads = threads_from_environment();
    table.features = extra_features();
    static std::once_flag once;
    std::call_once(once, [] { pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); });
}

int64_t thread_count() noexcept {
    return threads_of(&table);
}

void set_thread_count(int64_t count) {
    if (count < 1 || count > kMostThreads) {
        throw Error(ErrorCode::kValue, "the number of threads must be from 1 to " + std::to_string(kMostThreads) +
                                           ", got " + std::to_string(count));
    }
    std::atomic_ref(table.threads).store(count, std::memory_order_relaxed);
    auto& [mutex, pool] = holder().get();
    const std::lock_guard lock(mutex);
    pool.reset();
}

int64_t max_call_depth() noexcept {
    return call_depth.load(std::memory_order_relaxed);
}

void set_max_call_depth(int64_t depth) {
    if (depth < 1) {
        throw Error(ErrorCode::kValue, "the depth of calls must be at least 1, got " + std::to_string(depth));
    }
    call_depth.store(depth, std::memory_order_relaxed);
}

void set_cancel(bool cancel) noexcept {
    std::atomic_ref(cancel_flag).store(cancel ? 1 : 0, std::memory_order_relaxed);
    Interruptible::cancel(cancel);
}

void check_call(CallState& call, int32_t code, const char* what) {
    if (code == 0 && call.code() == 0) return;
    call.rethrow();
    if (code == kCancelled) raise_for_signals();
    auto message = call.message();
    if (call.code() == kTooDeep) throw Error(ErrorCode::kRecursion, message);
    if (message.empty() && code == kCancelled) message = "the run was cancelled";
    if (message.empty()) message = "it returned code " + std::to_string(code != 0 ? code : call.code());
    if (call.code() == kOutOfBounds) throw Error(ErrorCode::kIndex, message);
    throw Error(ErrorCode::kRuntime, std::string(what) + " failed: " + message);
}

}  // namespace ms
