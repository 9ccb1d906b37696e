#include "runtime/pool.h"

#if defined(__linux__)
#include <pthread.h>
#endif

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "runtime/call.h"
#include "runtime/runtime.h"

namespace ms {
namespace {

constexpr uint64_t kOpen = uint64_t{1} << 31;
constexpr uint64_t kJoinedMask = kOpen - 1;
constexpr auto kSpin = std::chrono::microseconds(50);
constexpr size_t kFewWorkers = 8;

constexpr int64_t kMostBatches = int64_t{1} << 31;

thread_local bool in_chunk = false;

constexpr uint64_t packed(uint64_t begin, uint64_t end) noexcept {
    return begin << 32 | end;
}

constexpr uint64_t begin_of(uint64_t rest) noexcept {
    return rest >> 32;
}

constexpr uint64_t end_of(uint64_t rest) noexcept {
    return rest & 0xFFFFFFFF;
}

class ChunkScope {
  public:
    ChunkScope() noexcept : previous_(std::exchange(in_chunk, true)) {}
    ~ChunkScope() { in_chunk = previous_; }
    ChunkScope(const ChunkScope&) = delete;
    ChunkScope& operator=(const ChunkScope&) = delete;

  private:
    bool previous_;
};

void relax() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

template <class Condition>
bool spin_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kSpin;
    do {
        for (int i = 0; i < 64; ++i) {
            if (condition()) return true;
            relax();
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

bool stopped(const Runtime* runtime, CallState* call) noexcept {
    return is_cancelled(runtime) || (call && call->code() != 0);
}

}  // namespace

bool inside_chunk() noexcept {
    return in_chunk;
}

void run_inline(const Runtime* runtime, int64_t total, int64_t grain, RangeFn fn, void* context) {
    const ChunkScope scope;
    CallState* call = CallState::current();
    for (int64_t begin = 0; begin < total && !stopped(runtime, call);) {
        const int64_t end = begin + std::min(grain, total - begin);
        fn(runtime, context, begin, end);
        begin = end;
    }
}

Pool::Pool(int64_t threads) : threads_(threads), shares_(static_cast<size_t>(threads)) {
#if defined(__linux__)
    CPU_ZERO(&allowed_);
    sched_getaffinity(0, sizeof(allowed_), &allowed_);
    given_ = allowed_;
#endif
    workers_.reserve(static_cast<size_t>(threads - 1));
    try {
        for (size_t seat = 1; seat < shares_.size(); ++seat) workers_.emplace_back([this, seat] { work(seat); });
    } catch (const std::system_error&) {
        // The system gives no more threads: those that run do the work.
    }
}

Pool::~Pool() {
    stop_.store(true);
    {
        const std::lock_guard lock(mutex_);
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
}

bool Pool::try_run(const Runtime* runtime, int64_t total, int64_t grain, RangeFn fn, void* context) {
    const std::unique_lock owner(owner_, std::try_to_lock);
    if (!owner.owns_lock()) return false;
    const int64_t chunks = (total - 1) / grain + 1;
    Job job{runtime, total, grain, chunks, (chunks - 1) / kMostBatches + 1, fn, context, CallState::current()};
    deal(job);
    open(job);
    run_chunks(job, 0);
    close_and_wait();
    return true;
}

// No worker is inside: the last job has waited for those that were.
void Pool::deal(const Job& job) {
    const auto batches = static_cast<uint64_t>((job.chunks - 1) / job.batch + 1);
    const uint64_t threads = std::min<uint64_t>(shares_.size(), batches);
    for (uint64_t seat = 0; seat < shares_.size(); ++seat) {
        const uint64_t begin = batches * std::min(seat, threads) / threads;
        const uint64_t end = batches * std::min(seat + 1, threads) / threads;
        shares_[seat].rest.store(packed(begin, end), std::memory_order_relaxed);
    }
}

// Where few processors share a cache, Linux does not look for an idle one: it may wake a worker behind its owner, and
// let both share one processor for tens of milliseconds while another one idles. Once somebody else has placed a
// worker, all are left where they are.
void Pool::keep_workers_aside() noexcept {
#if defined(__linux__)
    const int processor = sched_getcpu();
    if (processor == owner_processor_ || processor < 0 || placed_ || workers_.size() > kFewWorkers) return;
    owner_processor_ = processor;
    cpu_set_t others = allowed_;
    CPU_CLR(static_cast<size_t>(processor), &others);
    if (CPU_COUNT(&others) == 0) return;
    for (auto& worker : workers_) {
        cpu_set_t now;
        const bool known = pthread_getaffinity_np(worker.native_handle(), sizeof(now), &now) == 0;
        if (!known || !CPU_EQUAL(&now, &given_)) placed_ = true;
    }
    if (placed_) return;
    for (auto& worker : workers_) pthread_setaffinity_np(worker.native_handle(), sizeof(others), &others);
    given_ = others;
#endif
}

void Pool::open(Job& job) {
    finished_.store(0, std::memory_order_relaxed);
    job_.store(&job, std::memory_order_relaxed);
    keep_workers_aside();
    gate_.store(((gate_.load() >> 32) + 1) << 32 | kOpen);
    if (sleepers_.load() == 0) return;
    {
        const std::lock_guard lock(mutex_);
    }
    const int64_t helpers = std::min<int64_t>(job.chunks - 1, static_cast<int64_t>(workers_.size()));
    if (helpers >= sleepers_.load()) {
        wake_.notify_all();
    } else {
        for (int64_t i = 0; i < helpers; ++i) wake_.notify_one();
    }
}

void Pool::close_and_wait() {
    const auto joined = static_cast<uint32_t>(gate_.fetch_and(~kOpen) & kJoinedMask);
    const auto all_left = [this, joined] { return finished_.load() == joined; };
    if (spin_until(all_left)) return;
    std::unique_lock lock(mutex_);
    owner_sleeps_.store(true);
    done_.wait(lock, all_left);
    owner_sleeps_.store(false);
}

// Entering before the gate closes keeps the job alive until this worker counts itself as finished.
bool Pool::join(uint64_t& seen) {
    uint64_t gate = gate_.load();
    while ((gate & kOpen) != 0 && (gate >> 32) != seen) {
        if (gate_.compare_exchange_weak(gate, gate + 1)) {
            seen = gate >> 32;
            return true;
        }
    }
    return false;
}

bool Pool::wait_for_job(uint64_t seen) {
    const auto ready = [this, seen] {
        const uint64_t gate = gate_.load();
        return stop_.load() || ((gate & kOpen) != 0 && (gate >> 32) != seen);
    };
    if (LongCall::any() && spin_until([&ready] { return ready() || !LongCall::any(); }) && ready()) {
        return !stop_.load();
    }
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1);
    wake_.wait(lock, ready);
    sleepers_.fetch_sub(1);
    return !stop_.load();
}

void Pool::work(size_t seat) {
    uint64_t seen = 0;
    while (wait_for_job(seen)) {
        if (!join(seen)) continue;
        run_chunks(*job_.load(std::memory_order_relaxed), seat);
        finished_.fetch_add(1);
        if (owner_sleeps_.load()) {
            {
                const std::lock_guard lock(mutex_);
            }
            done_.notify_one();
        }
    }
}

void Pool::run_chunks(const Job& job, size_t seat) {
    const ChunkScope scope;
    const CallScope call(job.call);
    int64_t batch = 0;
    while (take(seat, batch)) {
        const int64_t last = std::min((batch + 1) * job.batch, job.chunks);
        for (int64_t chunk = batch * job.batch; chunk < last; ++chunk) {
            if (stopped(job.runtime, job.call)) return;
            const int64_t begin = chunk * job.grain;
            job.fn(job.runtime, job.context, begin, begin + std::min(job.grain, job.total - begin));
        }
    }
}

// The next batch of this thread's share, which is filled again from the others'.
bool Pool::take(size_t seat, int64_t& batch) {
    auto& share = shares_[seat].rest;
    uint64_t rest = share.load(std::memory_order_relaxed);
    while (true) {
        if (begin_of(rest) == end_of(rest)) {
            if (!steal(seat)) return false;
            rest = share.load(std::memory_order_relaxed);
            continue;
        }
        if (share.compare_exchange_weak(rest, packed(begin_of(rest) + 1, end_of(rest)))) {
            batch = static_cast<int64_t>(begin_of(rest));
            return true;
        }
    }
}

// Moves the second half of what another thread has left into this thread's empty share.
bool Pool::steal(size_t seat) {
    for (size_t i = 1; i < shares_.size(); ++i) {
        auto& other = shares_[(seat + i) % shares_.size()].rest;
        uint64_t rest = other.load(std::memory_order_relaxed);
        while (begin_of(rest) != end_of(rest)) {
            const uint64_t middle = begin_of(rest) + (end_of(rest) - begin_of(rest)) / 2;
            if (!other.compare_exchange_weak(rest, packed(begin_of(rest), middle))) continue;
            shares_[seat].rest.store(packed(middle, end_of(rest)), std::memory_order_relaxed);
            return true;
        }
    }
    return false;
}

}  // namespace ms
