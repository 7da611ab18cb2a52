// A million tasks that wait: what each occupies, and how fast they all go on.

#include "shared_runtime.hpp"

#include <algorithm>
#include <atomic>

namespace {

struct crowd {
  explicit crowd(long total) : woken(static_cast<std::size_t>(total)) {}

  sluice::event gate;
  std::atomic<long> arrived{0};
  std::vector<char> woken;  // one byte each, written by its task
};

sluice::task<> wait_at_gate(crowd& all, long index) {
  all.arrived.fetch_add(1, std::memory_order_relaxed);
  co_await all.gate.wait();
  all.woken[static_cast<std::size_t>(index)] = 1;
}

/// Spawns `total` tasks, a thousand at a time so that the ready queues stay short, waits until all have come to the
/// gate, calls `when_parked`, and opens it.
template <class WhenParked>
sluice::task<> gather(crowd& all, long total, WhenParked when_parked) {
  auto body = [&](sluice::task_group& group) -> sluice::task<> {
    for (long i = 0; i < total; ++i) {
      group.spawn(wait_at_gate(all, i));
      if (i % 1000 == 999)
        while (all.arrived.load(std::memory_order_relaxed) <= i) co_await sluice::yield();
    }
    while (all.arrived.load(std::memory_order_relaxed) < total) co_await sluice::yield();
    when_parked();
    all.gate.set();
  };
  co_await sluice::with_group(body);
}

bench::reading parked_memory(bench::effort e) {
  const long total = bench::scaled(e, bench::parked_total, 1000);
  sluice::runtime& runtime = bench::shared_runtime();
  crowd all(total);
  std::fill(all.woken.begin(), all.woken.end(), 0);  // its pages are there before the tasks are
  bench::reading r;
  const bench::stopwatch watch;
  const std::int64_t before = bench::resident_bytes();
  runtime.block_on(gather(all, total, [&] {
    r = watch.ns_per_item(total);
    r.value = static_cast<double>(bench::resident_bytes() - before) / static_cast<double>(total);
    r.unit = "bytes";
  }));
  bench::check_equal("the number of woken tasks", std::count(all.woken.begin(), all.woken.end(), 1), total);
  return r;
}

bench::reading parked_wake(bench::effort e) {
  const long total = bench::scaled(e, bench::parked_total, 1000);
  sluice::runtime& runtime = bench::shared_runtime();
  crowd all(total);
  bench::stopwatch watch;
  runtime.block_on(gather(all, total, [&] { watch = bench::stopwatch(); }));
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the number of woken tasks", std::count(all.woken.begin(), all.woken.end(), 1), total);
  return r;
}

const bool memory_listed = bench::add("sluice", "parked.memory", parked_memory, false);
const bool wake_listed = bench::add("sluice", "parked.wake", parked_wake, false);

}  // namespace
