// The whole scheduler under load on real threads: more workers than processors, wakes and timers from everywhere.
// stresses: scheduler/idle.hpp scheduler/parker.hpp scheduler/timers.hpp scheduler/worker.hpp scheduler/napper.hpp
// stresses: scheduler/watch.hpp scheduler/keeper.hpp

#include "job.hpp"

#include <sluice/scheduler/fork_lane.hpp>

#include <gtest/gtest.h>

#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

impl::scheduler_options threads(std::size_t workers) {
  return {.workers = workers, .name = "stress", .simulation = {}};
}

job churn(scheduler& s, countdown&, unsigned seed) {
  std::minstd_rand random(seed + 1);
  for (int i = 0; i < 20; ++i) {
    switch (random() % 3) {
      case 0:
        co_await yield{};
        break;
      case 1:
        co_await sleep_until{s, s.now() + std::chrono::microseconds(random() % 2000)};
        break;
      default:
        co_await suspend_with{[](impl::task_context& self) { self.wake(); }};
    }
  }
}

TEST(SchedulerStress, MixedWorkAllEnds) {
  for (const std::size_t workers : {1u, 2u, 7u}) {
    scheduler s(threads(workers));
    countdown all(s, 300);
    for (unsigned i = 0; i < 300; ++i) s.submit(*churn(s, all, i));
    all.wait();
    EXPECT_EQ(all.left(), 0u);
  }
}

job tree(scheduler& s, countdown& all, int depth) {
  if (depth > 0) {
    impl::fork_lane::current()->fork(*tree(s, all, depth - 1));
    if (depth % 3 == 0) co_await yield{};
    impl::fork_lane::current()->fork(*tree(s, all, depth - 1));
  }
}

TEST(SchedulerStress, ForkedTreesAreSharedAndComplete) {
  for (int round = 0; round < 5; ++round) {
    scheduler s(threads(4));
    countdown all(s, (1u << 14) - 1);
    s.submit(*tree(s, all, 13));
    all.wait();
  }
}

job wait_for_thread(scheduler&, countdown&, std::vector<std::atomic<impl::task_context*>>& slots, std::size_t i,
                    int times) {
  for (int k = 0; k < times; ++k) {
    co_await suspend_with{[&slots, i](impl::task_context& self) { slots[i].store(&self); }};
  }
}

TEST(SchedulerStress, WakesFromPlainThreadsAreNotLost) {
  constexpr std::size_t tasks = 16;
  constexpr int times = 500;
  scheduler s(threads(3));
  std::vector<std::atomic<impl::task_context*>> slots(tasks);
  countdown all(s, tasks);
  for (std::size_t i = 0; i < tasks; ++i) s.submit(*wait_for_thread(s, all, slots, i, times));
  std::vector<std::thread> wakers;
  for (unsigned w = 0; w < 2; ++w) {
    wakers.emplace_back([&, w] {
      while (all.left() != 0) {
        bool any = false;
        for (std::size_t i = w; i < tasks; i += 2) {
          if (impl::task_context* const c = slots[i].exchange(nullptr)) {
            c->wake();
            any = true;
          }
        }
        if (!any) impl::yield_thread();
      }
    });
  }
  all.wait();
  for (auto& t : wakers) t.join();
}

// What goes round a ring of tasks: who waits for it is woken by the task before.
struct baton_place {
  std::mutex lock;
  int here = 0;
  impl::task_context* waiting = nullptr;

  void put() {
    std::unique_lock held(lock);
    impl::task_context* const c = std::exchange(waiting, nullptr);
    if (c == nullptr) ++here;
    held.unlock();
    if (c != nullptr) c->wake();
  }
  void take(impl::task_context& self) {
    std::unique_lock held(lock);
    if (here == 0) {
      waiting = &self;
      return;
    }
    --here;
    held.unlock();
    self.wake();
  }
};

job pass_on(scheduler& s, countdown&, baton_place& mine, baton_place& next, unsigned seed, int times) {
  std::minstd_rand random(seed + 1);
  for (int k = 0; k < times; ++k) {
    co_await suspend_with{[&mine](impl::task_context& self) { mine.take(self); }};
    const auto chance = random() % 1000;
    if (chance == 0) {
      for (const auto end = s.now() + 100us; s.now() < end;) {
      }
    }
    if (chance < 20) co_await yield{};
    next.put();
  }
}

// Enough of them are ready on a worker, and for short enough, that it keeps several to itself: I5 of worker.hpp.
TEST(SchedulerStress, TasksThatWakeEachOtherAllGoOn) {
  constexpr std::size_t tasks = 24;
  for (const std::size_t workers : {2u, 5u}) {
    scheduler s(threads(workers));
    std::vector<baton_place> places(tasks);
    for (std::size_t i = 0; i < tasks; i += 3) places[i].put();
    countdown all(s, tasks);
    for (unsigned i = 0; i < tasks; ++i) {
      s.submit(*pass_on(s, all, places[i], places[(i + 1) % tasks], i, 5'000));
    }
    all.wait();
    int batons = 0;
    for (const baton_place& p : places) batons += p.here;
    EXPECT_EQ(batons, 8) << "none is lost, and none comes from nowhere";
  }
}

job nothing(scheduler&, countdown&) { co_return; }

TEST(SchedulerStress, ManyThreadsSubmitAtOnceAndTheSchedulerMayGoAtOnce) {
  for (int round = 0; round < 20; ++round) {
    auto s = std::make_unique<scheduler>(threads(2));
    countdown all(*s, 12 * 200);
    std::vector<std::thread> submitters;
    for (int t = 0; t < 12; ++t) {
      submitters.emplace_back([&] {
        for (int i = 0; i < 200; ++i) s->submit(*nothing(*s, all));
      });
    }
    all.wait();
    // The submitters may still be on their way out of submit, but not out of it: the scheduler waits for them.
    s.reset();
    for (auto& t : submitters) t.join();
  }
}

TEST(SchedulerStress, OverflowingTheRingLosesNothing) {
  scheduler s(threads(2));
  constexpr std::uint64_t many = 100000;
  struct program {
    static job spawn_all(scheduler& s, countdown& all) {
      for (std::uint64_t i = 0; i < many; ++i) s.submit(*nothing(s, all));
      co_return;
    }
  };
  countdown all(s, many + 1);
  s.submit(*program::spawn_all(s, all));
  all.wait();
}

struct counting final : impl::timer_target {
  void fired() noexcept override { count.fetch_add(1); }
  std::atomic<int> count = 0;
};

job start_and_stop(scheduler& s, countdown&, unsigned seed, std::atomic<int>& wrong) {
  std::minstd_rand random(seed + 1);
  for (int i = 0; i < 200; ++i) {
    counting target;
    impl::timer* const t = s.start_timer(s.now() + std::chrono::microseconds(random() % 300), target);
    for (auto n = random() % 3; n > 0; --n) co_await yield{};  // may move to another worker
    if (random() % 4 == 0) {
      co_await sleep_until{s, s.now() + std::chrono::microseconds(random() % 300)};
    }
    if (s.stop_timer(t)) {
      wrong += target.count != 0 ? 1 : 0;
    } else {
      while (target.count == 0) co_await yield{};  // it is just being called
    }
  }
}

TEST(SchedulerStress, TimersFireOnceOrNotAtAll) {
  for (const std::size_t workers : {1u, 3u}) {
    scheduler s(threads(workers));
    std::atomic<int> wrong = 0;
    countdown all(s, 30);
    for (unsigned i = 0; i < 30; ++i) s.submit(*start_and_stop(s, all, i, wrong));
    for (int i = 0; i < 300; ++i) {
      counting target;
      impl::timer* const t = s.start_timer(s.now() + std::chrono::microseconds(i % 50), target);
      if (i % 3 == 0) impl::yield_thread();
      if (s.stop_timer(t)) {
        wrong += target.count != 0 ? 1 : 0;
      } else {
        while (target.count == 0) impl::yield_thread();
      }
    }
    all.wait();
    EXPECT_EQ(wrong, 0);
  }
}

TEST(SchedulerStress, DescribingDisturbsNobody) {
  scheduler s(threads(3));
  countdown all(s, 200);
  for (unsigned i = 0; i < 200; ++i) s.submit(*churn(s, all, i));
  while (all.left() != 0) {
    std::string text;
    s.describe(text);
    ASSERT_FALSE(text.empty());
    impl::yield_thread();
  }
  all.wait();
}

}  // namespace
}  // namespace sluice::test
