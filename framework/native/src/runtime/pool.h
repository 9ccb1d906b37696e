// The one thread pool. Each thread starts with a share of neighbouring chunks, so that no two threads stream through
// the same pages, and takes half of another's rest when its own is done: a slow or stolen core delays one chunk and not
// the call.
#pragma once

#if defined(__linux__)
#include <sched.h>
#endif

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime_abi.h"

namespace ms {

class CallState;

class Pool {
  public:
    // `threads` counts the caller; threads - 1 workers are started, fewer where the system refuses.
    explicit Pool(int64_t threads);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Runs the chunks on the workers and on this thread; false when another thread is using the pool (nothing has run
    // then).
    [[nodiscard]] bool try_run(const Runtime* runtime, int64_t total, int64_t grain, RangeFn fn, void* context);

    [[nodiscard]] int64_t threads() const noexcept { return threads_; }

  private:
    struct Job {
        const Runtime* runtime;
        int64_t total;
        int64_t grain;
        int64_t chunks;
        int64_t batch;  // chunks that are taken at a time: 1 unless there are more than a share can count
        RangeFn fn;
        void* context;
        CallState* call;
    };

    // What a thread has still to do: batches begin << 32 | end. The value says all, so that comparing it is enough.
    struct alignas(64) Share {
        std::atomic<uint64_t> rest{0};
    };

    void work(size_t seat);
    [[nodiscard]] bool wait_for_job(uint64_t seen);
    [[nodiscard]] bool join(uint64_t& seen);
    void deal(const Job& job);
    void open(Job& job);
    void keep_workers_aside() noexcept;
    void close_and_wait();
    void run_chunks(const Job& job, size_t seat);
    [[nodiscard]] bool take(size_t seat, int64_t& batch);
    [[nodiscard]] bool steal(size_t seat);

    const int64_t threads_;
    std::mutex owner_;          // held by the thread that uses the workers
    int owner_processor_ = -1;  // where that thread was at its last job
#if defined(__linux__)
    cpu_set_t allowed_;  // the processors of the thread that made the pool, and of its workers at first
    cpu_set_t given_;    // the workers' processors now
    bool placed_ = false;
#endif
    std::atomic<uint64_t> gate_{0};  // job number << 32 | open << 31 | workers that joined
    std::atomic<uint32_t> finished_{0};
    std::atomic<Job*> job_{nullptr};
    std::atomic<bool> stop_{false};

    std::mutex mutex_;  // of the sleepers
    std::condition_variable wake_;
    std::condition_variable done_;
    std::atomic<int> sleepers_{0};
    std::atomic<bool> owner_sleeps_{false};
    std::vector<Share> shares_;  // one for each thread, the caller's first
    std::vector<std::thread> workers_;
};

// Chunks in order on this thread: what parallel_for does when the pool is taken, when it is nested, and for a single
// chunk.
void run_inline(const Runtime* runtime, int64_t total, int64_t grain, RangeFn fn, void* context);

// True while this thread is inside a chunk.
[[nodiscard]] bool inside_chunk() noexcept;

}  // namespace ms
