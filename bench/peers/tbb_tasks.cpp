// The task boards on oneTBB. It has no coroutines: a "yield" is a task that submits itself again, and a wait blocks a
// thread.

#include "../sizes.hpp"

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

/// A pool that has just worked and now has nothing to do.
bench::reading idle(bench::effort e) {
  spawn_join(bench::effort::warm_up);
  const int seconds = e == bench::effort::full ? 10 : 2;
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const std::int64_t before = bench::switches_of_other_threads();
  const bench::stopwatch watch;
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  bench::reading r = watch.ns_per_item(seconds);
  r.value = static_cast<double>(bench::switches_of_other_threads() - before);
  r.unit = "wakeups";
  return r;
}

const bool spawn_listed = bench::add("oneTBB", "spawn_join", spawn_join);
const bool yield_listed = bench::add("oneTBB", "yield", yield);
const bool idle_listed = bench::add("oneTBB", "idle", idle, false);

}  // namespace
