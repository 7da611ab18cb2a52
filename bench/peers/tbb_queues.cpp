// The queue boards on oneTBB's concurrent_bounded_queue, which blocks threads.

#include "../thread_boards.hpp"

#include <tbb/concurrent_queue.h>

#include <condition_variable>
#include <mutex>

namespace {

class bounded {
 public:
  explicit bounded(std::size_t capacity) { queue_.set_capacity(static_cast<std::ptrdiff_t>(capacity)); }
  void put(long item) { queue_.push(item); }
  long get() {
    long item = 0;
    queue_.pop(item);
    return item;
  }
  bool try_put(long item) { return queue_.try_push(item); }
  bool try_get(long& item) { return queue_.try_pop(item); }

 private:
  tbb::concurrent_bounded_queue<long> queue_;
};

/// What join() is on a queue that has none: a count, and a condition for the one who waits.
class job_count {
 public:
  void begun() { count_.fetch_add(1, std::memory_order_relaxed); }
  void done() {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard lock(mutex_);
    zero_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    // Timed: glibc 2.36's condition variable can lose a wake-up.
    while (count_.load(std::memory_order_acquire) != 0) zero_.wait_for(lock, std::chrono::milliseconds(10));
  }

 private:
  std::atomic<long> count_{0};
  std::mutex mutex_;
  std::condition_variable zero_;
};

template <bool Try>
bench::reading pair(bench::effort e) {
  const long total = bench::scaled(e, bench::pair_total);
  bounded queue(1024);
  std::int64_t sum = 0;
  const bench::stopwatch watch;
  for (long i = 1; i <= total; ++i) {
    if constexpr (Try) {
      long item = 0;
      if (queue.try_put(i) && queue.try_get(item)) sum += item;
    } else {
      queue.put(i);
      sum += queue.get();
    }
  }
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum of the items", sum, bench::sum_to(total));
  return r;
}

const bool queues_listed = bench::add_thread_queues<bounded>("oneTBB");
const bool ping_pong_listed = bench::add("oneTBB", "ping_pong", bench::thread_ping_pong<bounded>);
const bool pipeline_listed = bench::add("oneTBB", "pipeline", bench::thread_pipeline<bounded, job_count>);
const bool try_listed = bench::add("oneTBB", "queue.pair.try", pair<true>);
const bool wait_listed = bench::add("oneTBB", "queue.pair.await", pair<false>);
const bool wake_listed = bench::add("oneTBB", "wake.blocking", bench::thread_wake<bounded>, false);

}  // namespace
