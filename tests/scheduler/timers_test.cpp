// One worker's timers in one thread: starting and stopping as the worker and from outside.

#include <sluice/scheduler/timers.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace sluice::impl {
namespace {

using namespace std::chrono_literals;

struct target final : timer_target {
  void fired() noexcept override { ++count; }
  int count = 0;
};

const time_point start{1000s};

TEST(Timers, WhoSaysWhatTimeItIsIsNotRoundedByTheTimeSinceTheLastLook) {
  worker_timers timers(false);
  target goal;
  timers.poll(start);
  const time_point deadline = start + 10ms + 100us;
  timer* const told = timers.start(deadline, goal, start + 10ms);
  EXPECT_GE(timers.next_deadline(), deadline);
  EXPECT_LT(timers.next_deadline(), deadline + std::chrono::nanoseconds(1 << 14));
  EXPECT_TRUE(timers.stop(*told));
}

TEST(Timers, FireOnceAndAreStoppedAfterwards) {
  worker_timers timers(true);
  target goal;
  timer* const t = timers.start(start + 1ms, goal);
  EXPECT_EQ(timers.poll(start), 0u);
  EXPECT_EQ(timers.next_deadline(), start + 1ms);
  EXPECT_EQ(timers.poll(start + 1ms), 1u);
  EXPECT_EQ(timers.poll(start + 2ms), 0u);
  EXPECT_EQ(goal.count, 1);
  EXPECT_FALSE(timers.stop(*t));
  EXPECT_TRUE(timers.idle());
}

TEST(Timers, DoNotFireOnceStopped) {
  worker_timers timers(true);
  target goal;
  timer* const here = timers.start(start + 1ms, goal);
  timer* const there = timers.start(start + 1ms, goal);
  timer* const outside = timers.start_outside(start + 1ms, goal);
  timer* const not_arrived = timers.start_outside(start + 1ms, goal);
  EXPECT_TRUE(timers.stop(*not_arrived));
  EXPECT_TRUE(timers.stop(*here));
  EXPECT_TRUE(timers.stop_outside(*there));
  EXPECT_TRUE(timers.stop_outside(*outside));
  EXPECT_EQ(timers.poll(start + 5ms), 0u);
  EXPECT_EQ(goal.count, 0);
  EXPECT_TRUE(timers.idle());
}

TEST(Timers, TheEndOfTimeNeverComes) {
  worker_timers timers(false);
  target goal;
  timer* const here = timers.start(time_point::max(), goal);
  timer* const outside = timers.start_outside(time_point::max(), goal);
  timers.poll(time_point(std::chrono::nanoseconds(INT64_MAX)));
  EXPECT_EQ(timers.next_deadline(), time_point::max());
  EXPECT_EQ(goal.count, 0);
  EXPECT_TRUE(timers.stop(*here));
  EXPECT_TRUE(timers.stop_outside(*outside));
}

TEST(Timers, MemoryIsUsedAgain) {
  worker_timers timers(true, 4);
  target goal;
  std::vector<timer*> seen;
  for (int i = 0; i < 1000; ++i) {
    timer* const t = timers.start(start + 1s, goal);
    EXPECT_TRUE(i % 2 == 0 ? timers.stop(*t) : timers.stop_outside(*t));
    if (std::find(seen.begin(), seen.end(), t) == seen.end()) seen.push_back(t);
  }
  EXPECT_LE(seen.size(), 8u);
  seen.clear();
  for (int i = 0; i < 1000; ++i) {
    timer* const t = timers.start_outside(start + 1s, goal);
    EXPECT_TRUE(timers.stop_outside(*t));
    timers.poll(start);
    if (std::find(seen.begin(), seen.end(), t) == seen.end()) seen.push_back(t);
  }
  EXPECT_LE(seen.size(), 8u);
}

TEST(Timers, AWorkerIsWokenOnlyForWhatItWouldSleepThrough) {
  worker_timers timers(true);
  EXPECT_FALSE(timers.must_wake_for(start));  // awake: it will look
  timers.set_parked_until(start + 10ms);
  EXPECT_TRUE(timers.must_wake_for(start + 9ms));
  EXPECT_FALSE(timers.must_wake_for(start + 11ms));
  timers.set_awake();
  EXPECT_FALSE(timers.must_wake_for(start));
}

TEST(Timers, EachArmedTimerIsSeen) {
  worker_timers timers(true);
  target goal;
  timer* const a = timers.start(start + 1ms, goal);
  timer* const b = timers.start_outside(start + 2ms, goal);
  int seen = 0;
  timers.visit_armed([&seen](time_point deadline) {
    ++seen;
    EXPECT_TRUE(deadline == start + 1ms || deadline == start + 2ms);
  });
  EXPECT_EQ(seen, 2);
  timers.stop(*a);
  timers.stop(*b);
  seen = 0;
  timers.visit_armed([&seen](time_point) { ++seen; });
  EXPECT_EQ(seen, 0);
}

}  // namespace
}  // namespace sluice::impl
