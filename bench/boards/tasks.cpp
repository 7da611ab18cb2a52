// What a task costs: to spawn and join, to give way, and to exist while there is nothing to do.

#include "shared_runtime.hpp"

#include <atomic>
#include <numeric>
#include <thread>

namespace {

sluice::task<> fill(long& slot, long value) {
  slot = value;
  co_return;
}

/// Spawns a batch into a group and joins it, again and again.
sluice::task<std::int64_t> spawn_batches(long total) {
  std::vector<long> slots(bench::spawn_batch);
  auto spawn_all = [&slots](sluice::task_group& group) -> sluice::task<> {
    for (long i = 0; i < bench::spawn_batch; ++i) group.spawn(fill(slots[static_cast<std::size_t>(i)], i + 1));
    co_return;
  };
  std::int64_t sum = 0;
  for (long done = 0; done < total; done += bench::spawn_batch) {
    co_await sluice::with_group(spawn_all);
    sum += std::accumulate(slots.begin(), slots.end(), std::int64_t{0});
    std::fill(slots.begin(), slots.end(), 0);
  }
  co_return sum;
}

bench::reading spawn_join(bench::effort e) {
  const long total = bench::scaled(e, bench::spawn_total, bench::spawn_batch);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  const std::int64_t sum = runtime.block_on(spawn_batches(total));
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum over all tasks", sum, total / bench::spawn_batch * bench::sum_to(bench::spawn_batch));
  return r;
}

sluice::task<long> same(long value) { co_return value; }

/// Spawns one task and waits for it before the next.
sluice::task<std::int64_t> spawn_singly(long total) {
  std::int64_t sum = 0;
  for (long i = 1; i <= total; ++i) sum += co_await sluice::spawn(same(i));
  co_return sum;
}

bench::reading spawn_await(bench::effort e) {
  const long total = bench::scaled(e, bench::spawn_total / 2);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  const std::int64_t sum = runtime.block_on(spawn_singly(total));
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum over all tasks", sum, bench::sum_to(total));
  return r;
}

sluice::task<> take_turns(long turns, std::atomic<long>& finished) {
  for (long left = turns; left > 0; --left) co_await sluice::yield();
  finished.fetch_add(1, std::memory_order_relaxed);
}

sluice::task<> yield_all(long turns, std::atomic<long>& finished) {
  auto spawn_all = [&](sluice::task_group& group) -> sluice::task<> {
    for (long i = 0; i < bench::yield_tasks; ++i) group.spawn(take_turns(turns, finished));
    co_return;
  };
  co_await sluice::with_group(spawn_all);
}

bench::reading yield(bench::effort e) {
  const long total = bench::scaled(e, bench::yield_total, bench::yield_tasks);
  sluice::runtime& runtime = bench::shared_runtime();
  std::atomic<long> finished{0};
  const bench::stopwatch watch;
  runtime.block_on(yield_all(total / bench::yield_tasks, finished));
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the number of finished tasks", finished.load(), bench::yield_tasks);
  return r;
}

sluice::task<> answer_each(sluice::queue<long>& there, sluice::queue<long>& back, long total) {
  for (long i = 0; i < total; ++i) co_await back.put(co_await there.get() + 1);
}

sluice::task<std::int64_t> take_turns_by_twos(long total) {
  sluice::queue<long> there(1), back(1);
  auto other = sluice::spawn(answer_each(there, back, total));
  std::int64_t sum = 0;
  for (long i = 0; i < total; ++i) {
    co_await there.put(long{i});
    sum += co_await back.get();
  }
  co_await other;
  co_return sum;
}

/// Two tasks that hand each other the only worker: each wakes the other, then waits.
bench::reading hand_over(bench::effort e) {
  const long total = bench::scaled(e, bench::ping_pong_total);
  static sluice::runtime runtime{{.workers = 1}};
  const bench::stopwatch watch;
  const std::int64_t sum = runtime.block_on(take_turns_by_twos(total));
  bench::reading r = watch.ns_per_item(2 * total);
  bench::check_equal("the sum of the answers", sum, bench::sum_to(total));
  return r;
}

bench::reading idle(bench::effort e) {
  spawn_join(bench::effort::warm_up);
  return bench::idle_wakeups(e);
}

const bool spawn_listed = bench::add("sluice", "spawn_join", spawn_join);
const bool await_listed = bench::add("sluice", "spawn_await", spawn_await);
const bool yield_listed = bench::add("sluice", "yield", yield);
const bool switch_listed = bench::add("sluice", "switch", hand_over);
const bool idle_listed = bench::add("sluice", "idle", idle, false);

}  // namespace
