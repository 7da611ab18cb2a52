// The task boards on oneTBB. It has no coroutines: a "yield" is a task that submits itself again, and what waits is suspended
// with its stack.

#include "../sizes.hpp"

#include <tbb/task.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <atomic>
#include <numeric>
#include <thread>

namespace {

bench::reading spawn_join(bench::effort e) {
  const long total = bench::scaled(e, bench::spawn_total, bench::spawn_batch);
  std::vector<long> slots(bench::spawn_batch);
  std::int64_t sum = 0;
  const bench::stopwatch watch;
  for (long done = 0; done < total; done += bench::spawn_batch) {
    tbb::task_group group;
    for (long i = 0; i < bench::spawn_batch; ++i)
      group.run([slot = &slots[static_cast<std::size_t>(i)], i] { *slot = i + 1; });
    group.wait();
    sum += std::accumulate(slots.begin(), slots.end(), std::int64_t{0});
    std::fill(slots.begin(), slots.end(), 0);
  }
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum over all tasks", sum, total / bench::spawn_batch * bench::sum_to(bench::spawn_batch));
  return r;
}

struct turn_taker {
  tbb::task_group& group;
  std::atomic<long>& finished;
  long left;

  void operator()() const {
    if (left == 0) {
      finished.fetch_add(1, std::memory_order_relaxed);
    } else {
      group.run(turn_taker{group, finished, left - 1});
    }
  }
};

bench::reading yield(bench::effort e) {
  const long total = bench::scaled(e, bench::yield_total, bench::yield_tasks);
  std::atomic<long> finished{0};
  tbb::task_group group;
  const bench::stopwatch watch;
  for (long i = 0; i < bench::yield_tasks; ++i) group.run(turn_taker{group, finished, total / bench::yield_tasks});
  group.wait();
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the number of finished tasks", finished.load(), bench::yield_tasks);
  return r;
}

/// A task that is suspended, and that a plain thread resumes once a millisecond: how soon it runs.
bench::reading wake_thread(bench::effort e) {
  using clock = std::chrono::steady_clock;
  const long total = bench::scaled(e, bench::wake_total);
  std::vector<double> late_us;
  std::atomic<tbb::task::suspend_point> waiting{nullptr};
  std::atomic<clock::rep> sent{0};
  std::atomic<bool> finished{false};
  tbb::task_arena arena(tbb::this_task_arena::max_concurrency(), 0);
  const bench::stopwatch watch;
  arena.enqueue([&] {
    for (long i = 0; i < total; ++i) {
      tbb::task::suspend([&](tbb::task::suspend_point here) { waiting.store(here, std::memory_order_release); });
      const auto late = clock::now().time_since_epoch().count() - sent.load(std::memory_order_relaxed);
      late_us.push_back(static_cast<double>(late) * 1e-3);
    }
    finished.store(true, std::memory_order_release);
  });
  for (long i = 0; i < total; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    tbb::task::suspend_point task = nullptr;
    while ((task = waiting.exchange(nullptr, std::memory_order_acquire)) == nullptr) std::this_thread::yield();
    sent.store(clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    tbb::task::resume(task);
  }
  while (!finished.load(std::memory_order_acquire)) std::this_thread::yield();
  return bench::wake_reading(watch.ns_per_item(total), late_us, total);
}

bench::reading idle(bench::effort e) {
  spawn_join(bench::effort::warm_up);
  return bench::idle_wakeups(e);
}

const bool spawn_listed = bench::add("oneTBB", "spawn_join", spawn_join);
const bool yield_listed = bench::add("oneTBB", "yield", yield);
const bool wake_listed = bench::add("oneTBB", "wake.thread", wake_thread, false);
const bool idle_listed = bench::add("oneTBB", "idle", idle, false);

}  // namespace
