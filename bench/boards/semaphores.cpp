// The semaphore: free, contended by tasks that let go at once, and held over a yield.

#include "shared_runtime.hpp"

#include <atomic>

namespace {

struct tally {
  std::atomic<long> acquired{0};
  std::atomic<long> inside{0};
  std::atomic<long> most{0};
};

sluice::task<> acquire_and_release(sluice::semaphore& permits, long count, tally& counts) {
  for (long i = 0; i < count; ++i) {
    auto permit = co_await permits.acquire();
  }
  counts.acquired.fetch_add(count, std::memory_order_relaxed);
}

sluice::task<> acquire_and_hold(sluice::semaphore& permits, long count, tally& counts) {
  for (long i = 0; i < count; ++i) {
    auto permit = co_await permits.acquire();
    const long now = counts.inside.fetch_add(1, std::memory_order_relaxed) + 1;
    if (now > counts.most.load(std::memory_order_relaxed)) counts.most.store(now, std::memory_order_relaxed);
    co_await sluice::yield();
    counts.inside.fetch_sub(1, std::memory_order_relaxed);
  }
  counts.acquired.fetch_add(count, std::memory_order_relaxed);
}

sluice::task<> try_and_release(sluice::semaphore& permits, long count, tally& counts) {
  long mine = 0;
  for (long i = 0; i < count; ++i)
    if (auto permit = permits.try_acquire()) ++mine;
  counts.acquired.fetch_add(mine, std::memory_order_relaxed);
  co_return;
}

using contender = sluice::task<> (*)(sluice::semaphore&, long, tally&);

sluice::task<> contend(contender one, long tasks, std::size_t permits, long total, tally& counts) {
  sluice::semaphore semaphore(permits);
  auto spawn_all = [&](sluice::task_group& group) -> sluice::task<> {
    for (long t = 0; t < tasks; ++t) group.spawn(one(semaphore, total / tasks, counts));
    co_return;
  };
  co_await sluice::with_group(spawn_all);
}

template <contender One, long Tasks, std::size_t Permits>
bench::reading semaphore_board(bench::effort e) {
  const long total = bench::scaled(e, bench::semaphore_total, Tasks);
  sluice::runtime& runtime = bench::shared_runtime();
  tally counts;
  const bench::stopwatch watch;
  runtime.block_on(contend(One, Tasks, Permits, total, counts));
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the number of acquisitions", counts.acquired.load(), total);
  if (counts.most.load() > static_cast<long>(Permits))
    bench::check_equal("the most holders at once", counts.most.load(), static_cast<long>(Permits));
  return r;
}

const bool listed = bench::add("sluice", "semaphore.try", semaphore_board<try_and_release, 1, 1>) &&
                    bench::add("sluice", "semaphore.await", semaphore_board<acquire_and_release, 1, 1>) &&
                    bench::add("sluice", "semaphore.8t1p", semaphore_board<acquire_and_release, 8, 1>) &&
                    bench::add("sluice", "semaphore.64t4p", semaphore_board<acquire_and_hold, 64, 4>);

}  // namespace
