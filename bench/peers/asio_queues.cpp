// The queue boards on Asio: its experimental concurrent_channel between coroutines that a thread_pool runs.

#include "../sizes.hpp"

// Asio 1.22 knows clang's coroutines by the header that they had before C++20.
#if defined(__clang__) && !defined(ASIO_HAS_CO_AWAIT)
#define ASIO_HAS_CO_AWAIT 1
#endif

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/concurrent_channel.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <future>

namespace {

using asio::use_awaitable;
using jobs = asio::experimental::concurrent_channel<void(std::error_code, long)>;
const std::error_code no_error{};

asio::thread_pool& shared_pool() {
  static asio::thread_pool pool(bench::processors());
  return pool;
}

/// Runs tasks that have been started, to their end.
class group {
 public:
  explicit group(asio::thread_pool& pool) : pool_(pool) {}
  void spawn(asio::awaitable<void> task) { ends_.push_back(asio::co_spawn(pool_, std::move(task), asio::use_future)); }
  void join() {
    for (std::future<void>& end : ends_) end.get();
  }

 private:
  asio::thread_pool& pool_;
  std::vector<std::future<void>> ends_;
};

asio::awaitable<void> produce(jobs& queue, long first, long count) {
  for (long i = 1; i <= count; ++i) co_await queue.async_send(no_error, first + i, use_awaitable);
}

asio::awaitable<void> consume(jobs& queue, long count, std::atomic<std::int64_t>& sum) {
  std::int64_t mine = 0;
  for (long i = 0; i < count; ++i) mine += co_await queue.async_receive(use_awaitable);
  sum.fetch_add(mine, std::memory_order_relaxed);
}

template <std::size_t Capacity, long Producers, long Consumers>
bench::reading queue_board(bench::effort e) {
  const long total = bench::scaled(e, bench::queue_total, 64), share = total / Producers;
  jobs queue(shared_pool(), Capacity);
  std::atomic<std::int64_t> sum{0};
  group tasks(shared_pool());
  const bench::stopwatch watch;
  for (long p = 0; p < Producers; ++p) tasks.spawn(produce(queue, p * share, share));
  for (long c = 0; c < Consumers; ++c) tasks.spawn(consume(queue, total / Consumers, sum));
  tasks.join();
  bench::reading r = watch.millions_per_s(total);
  bench::check_equal("the sum of the items", sum.load(), bench::sum_to(total));
  return r;
}

asio::awaitable<void> answer(jobs& there, jobs& back, long total) {
  for (long i = 0; i < total; ++i) {
    const long question = co_await there.async_receive(use_awaitable);
    co_await back.async_send(no_error, question + 1, use_awaitable);
  }
}

asio::awaitable<void> ask(jobs& there, jobs& back, long total, std::int64_t& sum) {
  for (long i = 0; i < total; ++i) {
    co_await there.async_send(no_error, i, use_awaitable);
    sum += co_await back.async_receive(use_awaitable);
  }
}

/// `total` round trips; the time for each.
bench::reading take_turns(asio::thread_pool& pool, long total) {
  jobs there(pool, 1), back(pool, 1);
  std::int64_t sum = 0;
  group tasks(pool);
  const bench::stopwatch watch;
  tasks.spawn(answer(there, back, total));
  tasks.spawn(ask(there, back, total, sum));
  tasks.join();
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum of the answers", sum, bench::sum_to(total));
  return r;
}

bench::reading ping_pong(bench::effort e) {
  return take_turns(shared_pool(), bench::scaled(e, bench::ping_pong_total));
}

bench::reading hand_over(bench::effort e) {
  asio::thread_pool pool(1);
  bench::reading r = take_turns(pool, bench::scaled(e, bench::ping_pong_total));
  r.items *= 2;
  r.value /= 2;
  return r;
}

asio::awaitable<void> pairs_by_try(long total, std::int64_t& sum) {
  jobs queue(shared_pool(), 1024);
  auto add = [&sum](std::error_code, long item) { sum += item; };
  for (long i = 1; i <= total; ++i)
    if (!queue.try_send(no_error, i) || !queue.try_receive(add)) break;
  co_return;
}

asio::awaitable<void> pairs_by_await(long total, std::int64_t& sum) {
  jobs queue(shared_pool(), 1024);
  for (long i = 1; i <= total; ++i) {
    co_await queue.async_send(no_error, i, use_awaitable);
    sum += co_await queue.async_receive(use_awaitable);
  }
}

template <asio::awaitable<void> (*Pairs)(long, std::int64_t&)>
bench::reading pair_board(bench::effort e) {
  const long total = bench::scaled(e, bench::pair_total / 5);
  std::int64_t sum = 0;
  group tasks(shared_pool());
  const bench::stopwatch watch;
  tasks.spawn(Pairs(total, sum));
  tasks.join();
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum of the items", sum, bench::sum_to(total));
  return r;
}

/// What join() is on a queue that has none: a count, and a channel that wakes the one who waits for zero.
class job_count {
 public:
  void begun() { count_.fetch_add(1, std::memory_order_relaxed); }
  void done() {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) zero_.try_send(no_error, 0);
  }
  asio::awaitable<void> wait() {
    while (count_.load(std::memory_order_acquire) != 0) co_await zero_.async_receive(use_awaitable);
  }

 private:
  std::atomic<long> count_{0};   // items that were begun and are not done; every task writes it
  jobs zero_{shared_pool(), 1};  // of numbers: in Asio 1.22 a channel of nothing but errors does not compile
};

asio::awaitable<void> work(jobs& queue, job_count& unfinished, std::atomic<std::int64_t>& sum) {
  std::int64_t mine = 0;
  while (const long item = co_await queue.async_receive(use_awaitable)) {
    mine += item;
    unfinished.done();
  }
  sum.fetch_add(mine, std::memory_order_relaxed);
}

asio::awaitable<void> produce_and_join(jobs& queue, job_count& unfinished, long total) {
  for (long i = 1; i <= total; ++i) {
    unfinished.begun();
    co_await queue.async_send(no_error, i, use_awaitable);
  }
  co_await unfinished.wait();
  for (int worker = 0; worker < 3; ++worker) co_await queue.async_send(no_error, 0, use_awaitable);
}

/// A queue of 10, one producer, three workers that report each item done, and join.
bench::reading pipeline(bench::effort e) {
  const long total = bench::scaled(e, bench::pipeline_total);
  jobs queue(shared_pool(), 10);
  job_count unfinished;
  std::atomic<std::int64_t> sum{0};
  group tasks(shared_pool());
  const bench::stopwatch watch;
  for (int worker = 0; worker < 3; ++worker) tasks.spawn(work(queue, unfinished, sum));
  tasks.spawn(produce_and_join(queue, unfinished, total));
  tasks.join();
  bench::reading r = watch.millions_per_s(total);
  bench::check_equal("the sum of the items", sum.load(), bench::sum_to(total));
  return r;
}

const bool queues_listed = bench::add("Asio", "ping_pong", ping_pong) && bench::add("Asio", "switch", hand_over) &&
                           bench::add("Asio", "queue.1024.1p1c", queue_board<1024, 1, 1>) &&
                           bench::add("Asio", "queue.1024.4p1c", queue_board<1024, 4, 1>) &&
                           bench::add("Asio", "queue.1024.4p4c", queue_board<1024, 4, 4>) &&
                           bench::add("Asio", "queue.1024.64p64c", queue_board<1024, 64, 64>) &&
                           bench::add("Asio", "queue.16.1p1c", queue_board<16, 1, 1>) &&
                           bench::add("Asio", "queue.16.4p1c", queue_board<16, 4, 1>) &&
                           bench::add("Asio", "queue.16.4p4c", queue_board<16, 4, 4>) &&
                           bench::add("Asio", "queue.16.64p64c", queue_board<16, 64, 64>) &&
                           bench::add("Asio", "queue.1.1p1c", queue_board<1, 1, 1>) &&
                           bench::add("Asio", "queue.1.4p1c", queue_board<1, 4, 1>) &&
                           bench::add("Asio", "queue.1.4p4c", queue_board<1, 4, 4>) &&
                           bench::add("Asio", "queue.1.64p64c", queue_board<1, 64, 64>) &&
                           bench::add("Asio", "queue.pair.try", pair_board<pairs_by_try>) &&
                           bench::add("Asio", "queue.pair.await", pair_board<pairs_by_await>) &&
                           bench::add("Asio", "pipeline", pipeline);

}  // namespace
