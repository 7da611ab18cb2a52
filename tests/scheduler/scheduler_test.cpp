// The scheduler through its own interface: on real threads and in simulations.
// tests: scheduler/worker.hpp scheduler/running.hpp

#include "job.hpp"

#include <sluice/scheduler/fork_lane.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

impl::scheduler_options threads(std::size_t workers) { return {.workers = workers, .name = "test", .simulation = {}}; }
impl::scheduler_options simulation(std::uint64_t seed, std::size_t workers = 3) {
  return {.workers = workers, .name = "simulated", .simulation = seed};
}

job increment(scheduler&, countdown&, std::atomic<int>& count) {
  count.fetch_add(1);
  co_return;
}

TEST(Scheduler, RunsEachSubmittedTaskOnce) {
  for (const std::size_t workers : {1u, 2u, 5u}) {
    scheduler s(threads(workers));
    EXPECT_EQ(s.worker_count(), workers);
    std::atomic<int> count = 0;
    countdown all(s, 1000);
    for (int i = 0; i < 1000; ++i) s.submit(*increment(s, all, count));
    all.wait();
    EXPECT_EQ(count, 1000);
  }
}

TEST(Scheduler, RefusesAnAbsurdNumberOfWorkers) { EXPECT_THROW(scheduler(threads(1u << 20)), std::invalid_argument); }

TEST(Scheduler, TakesWhatTheMachineAllowsWhenNotTold) {
  scheduler s(threads(0));
  EXPECT_GE(s.worker_count(), 1u);
}

job tell_current(scheduler& s, countdown&, std::atomic<int>& right, impl::task_context** self) {
  *self = scheduler::current_task();
  right += scheduler::current() == &s ? 1 : 0;
  co_await yield{};
  right += scheduler::current() == &s && scheduler::current_task() == *self ? 1 : 0;
}

TEST(Scheduler, KnowsWhichTaskAWorkerRuns) {
  for (const bool simulated : {false, true}) {
    scheduler s(simulated ? simulation(7) : threads(2));
    std::atomic<int> right = 0;
    impl::task_context* self = nullptr;
    countdown all(s, 1);
    const job j = tell_current(s, all, right, &self);
    impl::task_context* const expected = j.context;
    s.submit(*j);
    all.wait();
    EXPECT_EQ(right, 2);
    EXPECT_EQ(self, expected);
    EXPECT_EQ(scheduler::current(), nullptr);
    EXPECT_EQ(scheduler::current_task(), nullptr);
  }
}

job yield_often(scheduler&, countdown&, int times, std::atomic<int>& count) {
  for (int i = 0; i < times; ++i) co_await yield{};
  ++count;
}

TEST(Scheduler, TasksThatYieldAllEnd) {
  for (const bool simulated : {false, true}) {
    scheduler s(simulated ? simulation(1) : threads(2));
    std::atomic<int> count = 0;
    countdown all(s, 400);
    for (int i = 0; i < 400; ++i) s.submit(*yield_often(s, all, 100, count));
    all.wait();
    EXPECT_EQ(count, 400);
  }
}

job tree(scheduler& s, countdown& all, int depth) {
  if (depth > 0) {
    impl::fork_lane::current()->fork(*tree(s, all, depth - 1));
    impl::fork_lane::current()->fork(*tree(s, all, depth - 1));
  }
  co_return;
}

TEST(Scheduler, RunsEveryForkedChild) {
  for (const bool simulated : {false, true}) {
    scheduler s(simulated ? simulation(2) : threads(3));
    countdown all(s, (1u << 15) - 1);
    s.submit(*tree(s, all, 14));
    all.wait();
    EXPECT_EQ(all.left(), 0u);
  }
}

job ping(scheduler&, countdown&, std::atomic<impl::task_context*>& mine, std::atomic<impl::task_context*>& other,
         int rounds) {
  for (int i = 0; i < rounds; ++i) {
    co_await suspend_with{[&mine, &other](impl::task_context& self) {
      impl::task_context* const partner = other.exchange(nullptr);
      mine.store(&self);
      if (partner != nullptr) partner->wake();
      // The partner may have stored itself in between, and found nobody: then whoever takes it out wakes it.
      if (partner == nullptr) {
        if (impl::task_context* late = other.exchange(nullptr)) late->wake();
      }
    }};
  }
  // The last one out lets the other go.
  if (impl::task_context* rest = other.exchange(nullptr)) rest->wake();
}

TEST(Scheduler, TwoTasksThatWakeEachOtherInASimulationNeverStandStill) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    scheduler s(simulation(seed));
    std::atomic<impl::task_context*> a = nullptr;
    std::atomic<impl::task_context*> b = nullptr;
    countdown all(s, 2);
    s.submit(*ping(s, all, a, b, 20));
    s.submit(*ping(s, all, b, a, 20));
    try {
      all.wait();
    } catch (const std::logic_error&) {
      // One of them may run out of rounds while the other waits for it: that is this program's own standstill.
      for (auto* slot : {&a, &b}) {
        if (impl::task_context* left = slot->exchange(nullptr)) left->wake();
      }
      all.wait();
    }
    EXPECT_EQ(all.left(), 0u);
  }
}

job sleep_then_note(scheduler& s, countdown&, std::chrono::nanoseconds span, std::vector<time_point>& woken,
                    std::size_t index) {
  co_await sleep_until{s, s.now() + span};
  woken[index] = s.now();
}

TEST(Scheduler, SleepsAreNeverEarly) {
  for (const bool simulated : {false, true}) {
    scheduler s(simulated ? simulation(3) : threads(2));
    const std::vector<std::chrono::nanoseconds> spans{0ns, 1ns, 50us, 900us, 1ms, 1500us, 7ms, 63ms, 70ms};
    std::vector<time_point> woken(spans.size());
    countdown all(s, spans.size());
    const time_point begin = s.now();
    for (std::size_t i = 0; i < spans.size(); ++i) s.submit(*sleep_then_note(s, all, spans[i], woken, i));
    all.wait();
    for (std::size_t i = 0; i < spans.size(); ++i) EXPECT_GE(woken[i], begin + spans[i]);
  }
}

TEST(Scheduler, ASimulationSleepsForDaysInNoTime) {
  scheduler s(simulation(4));
  std::vector<time_point> woken(2);
  countdown all(s, 2);
  const time_point begin = s.now();
  s.submit(*sleep_then_note(s, all, std::chrono::hours(24 * 365), woken, 0));
  s.submit(*sleep_then_note(s, all, 1s, woken, 1));
  all.wait();
  EXPECT_EQ(woken[0], begin + std::chrono::hours(24 * 365));
  EXPECT_EQ(woken[1], begin + 1s);
}

struct counting_target final : impl::timer_target {
  void fired() noexcept override { ++count; }
  std::atomic<int> count = 0;
};

TEST(Scheduler, AStoppedTimerNeverFires) {
  for (const bool simulated : {false, true}) {
    scheduler s(simulated ? simulation(5) : threads(2));
    counting_target never;
    impl::timer* const far = s.start_timer(s.now() + 1h, never);
    impl::timer* const end = s.start_timer(time_point::max(), never);
    EXPECT_TRUE(s.stop_timer(far));
    EXPECT_TRUE(s.stop_timer(end));
    std::vector<time_point> woken(1);
    countdown all(s, 1);
    s.submit(*sleep_then_note(s, all, 2ms, woken, 0));
    all.wait();
    EXPECT_EQ(never.count, 0);
  }
}

TEST(Scheduler, ATimerStartedByAPlainThreadFires) {
  scheduler s(threads(2));
  std::atomic<int> fired = 0;
  struct target final : impl::timer_target {
    void fired() noexcept override {
      *count += 1;
      s->unblock(*done);
    }
    scheduler* s;
    std::atomic<int>* count;
    atomic<std::uint32_t>* done;
  } t;
  atomic<std::uint32_t> done{0};
  t.s = &s;
  t.count = &fired;
  t.done = &done;
  impl::timer* const pending = s.start_timer(s.now() + 1ms, t);
  s.block_until(done);
  EXPECT_FALSE(s.stop_timer(pending));
  EXPECT_EQ(fired, 1);
}

TEST(Scheduler, AStandstillOfASimulationIsSaidAloud) {
  scheduler s(simulation(6));
  impl::task_context* asleep = nullptr;
  struct program {
    static job wait_for_ever(scheduler&, countdown&, impl::task_context*& out) {
      co_await suspend_with{[&out](impl::task_context& self) { out = &self; }};
    }
  };
  countdown all(s, 1);
  s.submit(*program::wait_for_ever(s, all, asleep));
  try {
    all.wait();
    FAIL() << "block_until returned although nothing could happen";
  } catch (const std::logic_error& e) {
    EXPECT_NE(std::string(e.what()).find("standstill"), std::string::npos);
  }
  ASSERT_NE(asleep, nullptr);
  asleep->wake();
  all.wait();
}

job trace(scheduler&, countdown&, int id, std::vector<int>& order) {
  for (int i = 0; i < 5; ++i) {
    order.push_back(id);
    co_await yield{};
  }
}

std::vector<int> order_of(std::uint64_t seed) {
  scheduler s(simulation(seed));
  std::vector<int> order;
  countdown all(s, 8);
  for (int i = 0; i < 8; ++i) s.submit(*trace(s, all, i, order));
  all.wait();
  return order;
}

TEST(Scheduler, ASeedDecidesTheWholeOrderOfASimulation) {
  std::vector<std::vector<int>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    orders.push_back(order_of(seed));
    EXPECT_EQ(orders.back(), order_of(seed)) << "seed " << seed;
  }
  std::sort(orders.begin(), orders.end());
  EXPECT_GT(std::unique(orders.begin(), orders.end()) - orders.begin(), 10);
}

job busy_until(scheduler& s, countdown&, time_point end) {
  while (s.now() < end) co_await yield{};
}

TEST(Scheduler, ABusyTaskDoesNotHoldUpTheVirtualClockForEver) {
  scheduler s(simulation(8));
  std::vector<time_point> woken(1);
  countdown all(s, 2);
  const time_point begin = s.now();
  s.submit(*busy_until(s, all, begin + 10ms));
  s.submit(*sleep_then_note(s, all, 10ms, woken, 0));
  all.wait();
  EXPECT_EQ(woken[0], begin + 10ms);
}

TEST(Scheduler, DescribesItsWorkersAndItsTimers) {
  scheduler s(threads(2));
  counting_target target;
  impl::timer* const pending = s.start_timer(s.now() + 1h, target);
  std::string text = "before\n";
  s.describe(text);
  EXPECT_EQ(text.find("before\n"), 0u);
  EXPECT_NE(text.find("test"), std::string::npos) << text;
  EXPECT_NE(text.find("timer"), std::string::npos) << text;
  EXPECT_TRUE(s.stop_timer(pending));
}

TEST(Scheduler, IsBuiltAndTornDownWithoutWork) {
  for (int i = 0; i < 50; ++i) scheduler s(threads(4));
}

// Fairness: each of these programs ends only if something gets its turn while other things are always ready.

job wake_self_until(scheduler&, countdown&, std::atomic<bool>& over) {
  while (!over) co_await suspend_with{[](impl::task_context& self) { self.wake(); }};
}
job set(scheduler&, countdown&, std::atomic<bool>& over) {
  over = true;
  co_return;
}

TEST(Scheduler, TheLifoSlotDoesNotStarveTheRing) {
  for (const bool simulated : {false, true}) {
    scheduler s(simulated ? simulation(9, 1) : threads(1));
    std::atomic<bool> over = false;
    countdown all(s, 2);
    s.submit(*wake_self_until(s, all, over));
    s.submit(*set(s, all, over));
    all.wait();
    EXPECT_TRUE(over);
  }
}

// Each child forks the next one, until told to end.
job refork(scheduler& s, countdown& all, std::atomic<bool>& over, countdown& last) {
  if (over) {
    last.one_less();
  } else {
    impl::fork_lane::current()->fork(*refork(s, all, over, last));
  }
  co_return;
}

TEST(Scheduler, ForkedChildrenDoNotStarveTheRing) {
  for (const bool simulated : {false, true}) {
    std::atomic<bool> over = false;
    std::optional<countdown> endless;  // lives until the workers are gone
    scheduler s(simulated ? simulation(10, 1) : threads(1));
    endless.emplace(s, ~std::uint64_t{0});  // counts the children, of which nobody knows how many there will be
    countdown last(s, 2);
    s.submit(*refork(s, *endless, over, last));
    s.submit(*set(s, last, over));
    last.wait();
  }
}

job yield_until(scheduler&, countdown&, std::atomic<bool>& over) {
  while (!over) co_await yield{};
}

TEST(Scheduler, ABusyWorkerTakesWhatComesFromOutside) {
  scheduler s(threads(1));
  std::atomic<bool> over = false;
  countdown all(s, 301);
  for (int i = 0; i < 300; ++i) s.submit(*yield_until(s, all, over));  // more than the ring holds
  s.submit(*set(s, all, over));
  all.wait();
}

job sleep_then_set(scheduler& s, countdown&, std::atomic<bool>& over) {
  co_await sleep_until{s, s.now() + 1ms};
  over = true;
}

TEST(Scheduler, ABusyWorkerLooksAtItsTimers) {
  scheduler s(threads(1));
  std::atomic<bool> over = false;
  countdown all(s, 2);
  s.submit(*sleep_then_set(s, all, over));
  s.submit(*yield_until(s, all, over));
  all.wait();
}

std::string parks_of(scheduler& s) {
  std::string text;
  s.describe(text);
  std::string parks;
  for (std::size_t at = text.find("parks "); at != std::string::npos; at = text.find("parks ", at + 1)) {
    parks += text.substr(at, text.find('\n', at) - at) + ";";
  }
  return parks;
}

TEST(Scheduler, NobodyWakesWhileThereIsNothingToDo) {
  scheduler s(threads(3));
  std::atomic<int> count = 0;
  countdown all(s, 100);
  for (int i = 0; i < 100; ++i) s.submit(*yield_often(s, all, 10, count));
  all.wait();
  counting_target target;
  impl::timer* const far = s.start_timer(s.now() + 1h, target);
  // Somebody may still be on the way to bed at first; a scheduler with a tick of its own is up again every time.
  bool quiet = false;
  for (int round = 0; round < 100 && !quiet; ++round) {
    const std::string before = parks_of(s);
    std::this_thread::sleep_for(20ms);
    quiet = parks_of(s) == before && before.find("parks 0") == std::string::npos;
  }
  EXPECT_TRUE(quiet) << parks_of(s);
  EXPECT_TRUE(s.stop_timer(far));
}

}  // namespace
}  // namespace sluice::test
