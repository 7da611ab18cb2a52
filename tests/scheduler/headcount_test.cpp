// tests: scheduler/headcount.hpp scheduler/worker_hooks.hpp
// The number of workers that may run changes while they do.
#include <sluice/scheduler/headcount.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include "job.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <sched.h>
#include <set>
#include <thread>
#include <vector>

namespace sluice::test {
namespace {

using impl::scheduler_options;
using namespace std::chrono_literals;

/// Ends when so many of them are inside at once, each on a worker of its own.
job meet(scheduler&, countdown&, std::atomic<std::size_t>& inside, std::size_t all) {
  ++inside;
  while (inside.load() < all) std::this_thread::yield();
  co_return;
}
job note_worker(scheduler&, countdown&, std::atomic<std::uint64_t>& seen) {
  seen.fetch_or(std::uint64_t{1} << scheduler::current_worker());
  co_return;
}
job yields(scheduler&, countdown&, int times) {
  for (int i = 0; i < times; ++i) co_await yield();
}

// g++ gives the promise of a coroutine lambda no parameters, so these are functions.
job sleeps(scheduler& s, countdown&, std::atomic<std::uint64_t>& on) {
  on.fetch_or(std::uint64_t{1} << scheduler::current_worker());
  (void)co_await sleep_until(s, s.now() + 20ms);
}
job bind_here(scheduler&, countdown&, int processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  EXPECT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  co_return;
}
job waits_for_the_hook(scheduler&, countdown&, std::atomic<impl::task_context*>& place) {
  for (int i = 0; i < 20; ++i) {
    auto leave_itself = [&place](impl::task_context& task) { place = &task; };
    co_await suspend_with{leave_itself};
  }
}

struct changing_world {
  explicit changing_world(std::size_t first) : budget(first), sched(options()) {}
  scheduler_options options() {
    scheduler_options o;
    o.budget = [this] { return budget.load(); };
    o.budget_interval = 0ns;
    o.most_workers = 4;
    return o;
  }
  void run(std::size_t jobs, auto make) {
    countdown all(sched, jobs);
    for (std::size_t i = 0; i < jobs; ++i) sched.submit(*make(all));
    all.wait();
  }
  /// Sets a number, and works until it is seen.
  void allow(std::size_t n) {
    budget = n;
    while (sched.worker_count() != n) run(8, [&](countdown& all) { return yields(sched, all, 200); });
  }
  std::uint64_t workers_of(std::size_t jobs) {
    std::atomic<std::uint64_t> seen{0};
    run(jobs, [&](countdown& all) { return note_worker(sched, all, seen); });
    return seen;
  }

  std::atomic<std::size_t> budget;
  scheduler sched;
};

TEST(headcount, as_many_workers_run_as_are_allowed_at_the_moment) {
  changing_world world(1);
  EXPECT_EQ(world.sched.worker_slots(), 4u);
  EXPECT_EQ(world.sched.worker_count(), 1u);
  EXPECT_EQ(world.workers_of(1000), 1u) << "worker 0 alone";
  for (const std::size_t n : {3u, 2u, 4u, 1u, 4u}) {
    SCOPED_TRACE(n);
    world.allow(n);
    std::atomic<std::size_t> inside{0};
    world.run(n, [&](countdown& all) { return meet(world.sched, all, inside, n); });  // never ends with fewer
    // Those beyond find out at their next look, and then take part in nothing any more.
    const std::uint64_t allowed = (std::uint64_t{1} << n) - 1;
    for (int clean = 0; clean < 5;) clean = (world.workers_of(2000) & ~allowed) == 0 ? clean + 1 : 0;
  }
}

TEST(headcount, timers_and_pinned_tasks_of_a_worker_that_stands_by_are_served) {
  changing_world world(4);
  // A timer in each worker's wheel, then three of them stand by.
  std::atomic<std::uint64_t> slept_on{0};
  countdown sleepers(world.sched, 4);
  std::vector<job> made;
  for (std::size_t i = 0; i < 4; ++i) {
    made.push_back(sleeps(world.sched, sleepers, slept_on));
    world.sched.pinned(i).wake(*made.back());
  }
  while (slept_on.load() != 15) std::this_thread::yield();
  world.allow(1);
  sleepers.wait();
  std::atomic<std::uint64_t> seen{0};
  countdown last(world.sched, 1);
  world.sched.pinned(3).wake(*note_worker(world.sched, last, seen));
  last.wait();
  EXPECT_EQ(seen.load(), 8u);
}

TEST(headcount, is_what_the_affinity_mask_says_after_it_has_changed) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  if (CPU_COUNT(&before) < 2) GTEST_SKIP() << "one processor: there is nothing to take away";
  scheduler sched(scheduler_options{});
  const std::size_t workers = sched.worker_count();
  if (workers < 2) GTEST_SKIP() << "a quota of one processor: there is nothing to take away";
  int only = 0;
  while (!CPU_ISSET(only, &before)) ++only;
  countdown bound(sched, workers);
  for (std::size_t i = 0; i < workers; ++i) sched.pinned(i).wake(*bind_here(sched, bound, only));
  bound.wait();
  while (sched.worker_count() != 1) {  // every two seconds it is looked up
    countdown all(sched, 2);
    sched.submit(*yields(sched, all, 100));
    sched.submit(*yields(sched, all, 100));
    all.wait();
  }
}

TEST(worker_hooks, are_called_by_each_worker_in_order) {
  struct counts {
    std::atomic<int> start{0}, stop{0}, park{0}, unpark{0};
    std::atomic<std::thread::id> id{};
  };
  std::vector<counts> of(2);
  {
    scheduler_options options;
    options.workers = 2;
    options.hooks.on_start = [&](std::size_t w) {
      ++of[w].start;
      of[w].id = std::this_thread::get_id();
    };
    options.hooks.on_stop = [&](std::size_t w) { ++of[w].stop; };
    options.hooks.on_park = [&](std::size_t w) {
      EXPECT_EQ(of[w].id.load(), std::this_thread::get_id());
      EXPECT_EQ(of[w].park++, of[w].unpark.load());
    };
    options.hooks.on_unpark = [&](std::size_t w) { EXPECT_EQ(++of[w].unpark, of[w].park.load()); };
    scheduler sched(options);
    while (of[0].park == 0 || of[1].park == 0) std::this_thread::yield();
    countdown all(sched, 100);
    for (int i = 0; i < 100; ++i) sched.submit(*yields(sched, all, 10));
    all.wait();
    EXPECT_EQ(of[0].stop + of[1].stop, 0);
  }
  for (auto& w : of) {
    EXPECT_EQ(w.start, 1);
    EXPECT_EQ(w.stop, 1);
    EXPECT_GE(w.park, 1);
    EXPECT_EQ(w.park, w.unpark);
  }
}

TEST(worker_hooks, may_make_tasks_ready_before_the_sleep) {
  for (const bool pinned : {false, true}) {
    scheduler* s = nullptr;
    std::atomic<impl::task_context*> waits{nullptr};
    scheduler_options options;
    options.workers = 1;
    options.hooks.on_park = [&](std::size_t) {
      impl::task_context* const task = waits.exchange(nullptr);
      if (task == nullptr) return;
      pinned ? s->pinned(0).wake(*task) : s->wake(*task);
    };
    scheduler sched(options);
    s = &sched;
    countdown all(sched, 1);
    sched.submit(*waits_for_the_hook(sched, all, waits));
    all.wait();
  }
}

}  // namespace
}  // namespace sluice::test
