// The queue boards on Boost.Fiber: its buffered_channel between fibers, which as many threads run as the others have
// workers. A channel's size is a power of two, of which it leaves one place empty.

#include "../sizes.hpp"

#include <boost/fiber/all.hpp>

#include <atomic>
#include <bit>
#include <thread>

namespace {

namespace fibers = boost::fibers;
using jobs = fibers::buffered_channel<long>;

/// The channel's size for a queue of `capacity`: 1024 and 16 as they are, 2 for one place, 16 for ten.
std::size_t channel_size(std::size_t capacity) { return capacity == 1 ? 2 : std::bit_ceil(capacity); }

/// The threads that run fibers beside the first one, which is in a board; one crew for all boards of a process.
class crew {
 public:
  crew() {
    for (unsigned i = 1; i < bench::processors(); ++i) threads_.emplace_back([this] { work(); });
    share_work();
  }
  ~crew() {
    over_.store(true, std::memory_order_relaxed);
    for (std::thread& thread : threads_) thread.join();
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

 private:
  /// One list of fibers for all threads, and a thread that finds none sleeps: work stealing, and threads that spin, were
  /// slower on most boards.
  static void share_work() { fibers::use_scheduling_algorithm<fibers::algo::shared_work>(true); }
  void work() {
    share_work();
    // Its own fiber only looks, now and then, whether the program ends.
    while (!over_.load(std::memory_order_relaxed)) boost::this_fiber::sleep_for(std::chrono::milliseconds(20));
  }
  std::atomic<bool> over_{false};  // false; the destructor writes true
  std::vector<std::thread> threads_;
};

void start_crew() { static const crew workers; }

void produce(jobs& queue, long first, long count) {
  for (long i = 1; i <= count; ++i) queue.push(first + i);
}

std::int64_t consume(jobs& queue, long count) {
  std::int64_t mine = 0;
  for (long i = 0; i < count; ++i) mine += queue.value_pop();
  return mine;
}

template <std::size_t Capacity, long Producers, long Consumers>
bench::reading queue_board(bench::effort e) {
  // With one place the threads sleep and wake for each item, which takes up to a hundred times as long: so it does fewer.
  const long full = Capacity == 1 ? bench::queue_total / 10 : bench::queue_total;
  const long total = bench::scaled(e, full, 64), share = total / Producers;
  start_crew();
  jobs queue(channel_size(Capacity));
  std::atomic<std::int64_t> sum{0};
  std::vector<fibers::fiber> all;
  const bench::stopwatch watch;
  for (long p = 0; p < Producers; ++p) all.emplace_back([&queue, p, share] { produce(queue, p * share, share); });
  for (long c = 0; c < Consumers; ++c)
    all.emplace_back([&] { sum.fetch_add(consume(queue, total / Consumers), std::memory_order_relaxed); });
  for (fibers::fiber& one : all) one.join();
  bench::reading r = watch.millions_per_s(total);
  bench::check_equal("the sum of the items", sum.load(), bench::sum_to(total));
  return r;
}

bench::reading ping_pong(bench::effort e) {
  const long total = bench::scaled(e, bench::ping_pong_total);
  start_crew();
  jobs there(channel_size(1)), back(channel_size(1));
  std::int64_t sum = 0;
  const bench::stopwatch watch;
  fibers::fiber answerer([&] {
    for (long i = 0; i < total; ++i) back.push(there.value_pop() + 1);
  });
  fibers::fiber asker([&] {
    for (long i = 0; i < total; ++i) {
      there.push(i);
      sum += back.value_pop();
    }
  });
  asker.join();
  answerer.join();
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum of the answers", sum, bench::sum_to(total));
  return r;
}

template <bool Try>
std::int64_t pairs(long total) {
  jobs queue(1024);
  std::int64_t sum = 0;
  for (long i = 1; i <= total; ++i) {
    if constexpr (Try) {
      long item = 0;
      if (queue.try_push(i) == fibers::channel_op_status::success &&
          queue.try_pop(item) == fibers::channel_op_status::success)
        sum += item;
    } else {
      queue.push(i);
      sum += queue.value_pop();
    }
  }
  return sum;
}

template <bool Try>
bench::reading pair_board(bench::effort e) {
  const long total = bench::scaled(e, bench::pair_total);
  start_crew();
  std::int64_t sum = 0;
  const bench::stopwatch watch;
  fibers::fiber([&] { sum = pairs<Try>(total); }).join();
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum of the items", sum, bench::sum_to(total));
  return r;
}

/// What join() is on a queue that has none: a count, and a condition for the fiber that waits.
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
    zero_.wait(lock, [this] { return count_.load(std::memory_order_acquire) == 0; });
  }

 private:
  std::atomic<long> count_{0};  // items that were begun and are not done; every fiber writes it
  fibers::mutex mutex_;
  fibers::condition_variable zero_;
};

/// One producer, three workers that report each item done, and join.
std::int64_t serve(long total) {
  jobs queue(channel_size(10));
  job_count unfinished;
  std::atomic<std::int64_t> sum{0};
  auto work = [&] {
    std::int64_t mine = 0;
    for (long item = 0; queue.pop(item) == fibers::channel_op_status::success; unfinished.done()) mine += item;
    sum.fetch_add(mine, std::memory_order_relaxed);
  };
  std::vector<fibers::fiber> workers;
  for (int w = 0; w < 3; ++w) workers.emplace_back(work);
  for (long i = 1; i <= total; ++i) {
    unfinished.begun();
    queue.push(i);
  }
  unfinished.wait();
  queue.close();
  for (fibers::fiber& worker : workers) worker.join();
  return sum.load();
}

bench::reading pipeline(bench::effort e) {
  const long total = bench::scaled(e, bench::pipeline_total);
  start_crew();
  std::int64_t sum = 0;
  const bench::stopwatch watch;
  fibers::fiber([&] { sum = serve(total); }).join();
  bench::reading r = watch.millions_per_s(total);
  bench::check_equal("the sum of the items", sum, bench::sum_to(total));
  return r;
}

constexpr const char* peer = "Boost.Fiber";
const bool queues_listed =
    bench::add(peer, "ping_pong", ping_pong) && bench::add(peer, "queue.1024.1p1c", queue_board<1024, 1, 1>) &&
    bench::add(peer, "queue.1024.4p1c", queue_board<1024, 4, 1>) &&
    bench::add(peer, "queue.1024.4p4c", queue_board<1024, 4, 4>) &&
    bench::add(peer, "queue.1024.64p64c", queue_board<1024, 64, 64>) &&
    bench::add(peer, "queue.16.1p1c", queue_board<16, 1, 1>) &&
    bench::add(peer, "queue.16.4p1c", queue_board<16, 4, 1>) &&
    bench::add(peer, "queue.16.4p4c", queue_board<16, 4, 4>) &&
    bench::add(peer, "queue.16.64p64c", queue_board<16, 64, 64>) &&
    bench::add(peer, "queue.1.1p1c", queue_board<1, 1, 1>) && bench::add(peer, "queue.1.4p1c", queue_board<1, 4, 1>) &&
    bench::add(peer, "queue.1.4p4c", queue_board<1, 4, 4>) &&
    bench::add(peer, "queue.1.64p64c", queue_board<1, 64, 64>) &&
    bench::add(peer, "queue.pair.try", pair_board<true>) && bench::add(peer, "queue.pair.await", pair_board<false>) &&
    bench::add(peer, "pipeline", pipeline);

}  // namespace
