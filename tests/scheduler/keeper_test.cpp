#include <sluice/scheduler/keeper.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::impl {
namespace {

using namespace std::chrono_literals;

// A keeper, and a worker that looks at the clock at every 64th step, or when it should.
struct keeping {
  keeping() { k.awake(now, 0); }
  void steps_of(keeper::duration each, std::uint32_t number, std::uint32_t waiting) {
    steps += number;
    now += number * each;
    k.look(now, number * each, steps, waiting);
  }
  // So many looks, with steps of `each` before them.
  void look(keeper::duration each, std::uint32_t waiting, int times = 1) {
    for (int i = 0; i < times; ++i) steps_of(each, 64, waiting);
  }
  // The steps that it takes until it keeps nothing more.
  int steps_until_noticed(keeper::duration each) {
    const std::uint64_t before = steps;
    while (!k.shares(1) && steps - before < 1000) steps_of(each, std::min(k.steps_to_look(), 64u), 3);
    return static_cast<int>(steps - before);
  }

  keeper k;
  time_point now = time_point(std::chrono::hours(1));
  std::uint64_t steps = 0;
};

TEST(Keeper, KeepsNothingBeforeItsFirstLook) {
  keeping w;
  EXPECT_FALSE(w.k.shares(0));
  EXPECT_TRUE(w.k.shares(1));
}

TEST(Keeper, KeepsOneWhileNothingIsKnown) {
  keeping w;
  w.k.look(w.now, 1h, 0, 0);
  EXPECT_FALSE(w.k.shares(1));
  EXPECT_TRUE(w.k.shares(2));
  EXPECT_GT(w.k.steps_to_look(), 64U);
}

TEST(Keeper, KeepsAsManyAsItRunsWithin100Microseconds) {
  keeping w;
  w.look(1us, 0, 10);
  EXPECT_FALSE(w.k.shares(100));
  EXPECT_TRUE(w.k.shares(101));
  w.look(800ns, 0, 10);
  EXPECT_FALSE(w.k.shares(125));
  EXPECT_TRUE(w.k.shares(126));
  w.look(1ns, 0, 100);
  EXPECT_FALSE(w.k.shares(keeper::most_of_all));
  EXPECT_TRUE(w.k.shares(keeper::most_of_all + 1));
}

TEST(Keeper, KeepsOneWhereStepsAreLonger) {
  keeping w;
  w.look(3us, 0, 10);
  EXPECT_FALSE(w.k.shares(1));
  EXPECT_TRUE(w.k.shares(2));
  w.look(7us, 0, 10);
  EXPECT_TRUE(w.k.shares(1));
}

TEST(Keeper, OneLookCountsForAFactorOfTwo) {
  keeping w;
  w.look(500ns, 0, 10);
  w.look(1ms, 0);
  EXPECT_FALSE(w.k.shares(100));
  EXPECT_EQ(w.k.steps_to_look(), keeper::steps_after_surprise);
  w.look(500ns, 0);
  EXPECT_FALSE(w.k.shares(100)) << "the processor was away";
  EXPECT_EQ(w.k.steps_to_look(), keeper::steps_with_several);
}

TEST(Keeper, LongStepsAreForgottenAsFast) {
  keeping w;
  w.look(1s, 0, 20);
  EXPECT_TRUE(w.k.shares(1));
  w.look(500ns, 0, 6);
  EXPECT_FALSE(w.k.shares(100));
}

TEST(Keeper, ASleepLeavesOne) {
  keeping w;
  w.look(500ns, 0, 10);
  w.k.awake(w.now, w.steps);
  EXPECT_FALSE(w.k.shares(1));
  EXPECT_TRUE(w.k.shares(2));
  w.look(500ns, 0);
  EXPECT_FALSE(w.k.shares(100)) << "until the next look";
}

TEST(Keeper, NoticesLongSteps) {
  for (const keeper::duration before : {100ns, 500ns, 1900ns}) {
    keeping w;
    w.look(before, 3, 10);
    ASSERT_FALSE(w.k.shares(10));
    const std::uint32_t most = keeper::steps_with_several + 2 * keeper::steps_after_surprise;
    EXPECT_LE(w.steps_until_noticed(100us), static_cast<int>(most));
  }
}

TEST(Keeper, NoticesStepsThatGrowLonger) {
  keeping w;
  w.look(500ns, 3, 10);
  w.look(1500ns, 3, 10);
  EXPECT_FALSE(w.k.shares(60));
  w.look(3us, 3, 10);
  EXPECT_FALSE(w.k.shares(1));
  EXPECT_TRUE(w.k.shares(2));
  EXPECT_LE(w.steps_until_noticed(7us), 640);
}

// With tasks waiting at every look: how long it keeps them, and how long it then shares them, with steps that take so long.
std::pair<keeper::duration, keeper::duration> keeps_and_shares(keeping& w, keeper::duration apart) {
  const time_point begin = w.now;
  while (!w.k.shares(2)) w.look(500ns, 3);
  const time_point end = w.now;
  while (w.k.shares(2)) w.look(apart, 3);
  return {end - begin, w.now - end};
}

TEST(Keeper, TriesMoreAndMoreRarelyToShareWhatIsDisturbedByIt) {
  keeping w;
  w.look(500ns, 0, 10);
  keeper::duration patience = keeper::shortest_patience;
  for (int i = 0; i < 8; ++i) {
    const auto [kept, shared] = keeps_and_shares(w, 1us);
    EXPECT_GE(kept + shared, patience);
    EXPECT_LE(kept, patience + 1ms);
    EXPECT_GE(shared, keeper::trial);
    EXPECT_LE(shared, keeper::trial + 1ms);
    patience = std::min(2 * patience, keeper::longest_patience);
  }
  EXPECT_EQ(patience, keeper::longest_patience);
  w.k.awake(w.now, w.steps);
  EXPECT_LE(keeps_and_shares(w, 1us).first, keeper::shortest_patience + 1ms) << "a sleep begins anew";
}

TEST(Keeper, SharesOnWhatIsNotDisturbedByIt) {
  keeping w;
  w.look(500ns, 0, 10);
  const auto [kept, shared] = keeps_and_shares(w, 600ns);
  EXPECT_GE(shared, keeper::longest_sharing);
  EXPECT_LE(shared, keeper::longest_sharing + 1ms);
  EXPECT_LE(keeps_and_shares(w, 600ns).first, keeper::shortest_patience + 1ms) << "and tries again as soon";
}

TEST(Keeper, SharesNoLongerWhenStepsGrow) {
  keeping w;
  w.look(500ns, 0, 10);
  while (!w.k.shares(2)) w.look(500ns, 3);
  w.look(600ns, 3, 1000);
  EXPECT_TRUE(w.k.shares(2));
  w.look(900ns, 3);
  w.look(600ns, 3);
  EXPECT_TRUE(w.k.shares(2)) << "once is nothing";
  w.look(900ns, 3, 5);
  EXPECT_FALSE(w.k.shares(2));
}

TEST(Keeper, DoesNotTryWhileItsRingIsEmptyNowAndThen) {
  keeping w;
  for (int i = 0; i < 10'000; ++i) {
    w.look(500ns, i % 100 == 0 ? 0 : 3);
    ASSERT_FALSE(w.k.shares(2));
  }
}

}  // namespace
}  // namespace sluice::impl
