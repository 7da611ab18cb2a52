// The wheel in one thread, against a sorted list of deadlines; the edges of its levels and of time are in timer_wheel_edges_test.cpp.

#include <sluice/scheduler/timer_wheel.hpp>

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

namespace sluice::impl {
namespace {

struct entry : wheel_entry {
  std::int64_t deadline = 0;
};

TEST(TimerWheel, AnExactWheelExpiresEachEntryAtItsVeryDeadline) {
  timer_wheel wheel(0, 0);
  const std::vector<std::int64_t> deadlines{1, 2, 63, 64, 65, 4095, 4096, 1'000'000, 123'456'789'012, INT64_MAX - 1};
  std::vector<entry> entries(deadlines.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].deadline = deadlines[i];
    wheel.insert(entries[i], deadlines[i]);
  }
  for (const std::int64_t expected : deadlines) {
    ASSERT_LE(wheel.next_deadline(), expected);
    EXPECT_EQ(wheel.advance(expected - 1, [](wheel_entry&) {}), 0u) << expected;
    EXPECT_EQ(wheel.next_deadline(), expected);
    EXPECT_EQ(wheel.advance(expected, [&](wheel_entry& e) { EXPECT_EQ(static_cast<entry&>(e).deadline, expected); }),
              1u);
  }
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.next_deadline(), INT64_MAX);
}

TEST(TimerWheel, WhatIsOverdueExpiresAtTheNextTick) {
  timer_wheel wheel(0, 0);
  wheel.advance(1000, [](wheel_entry&) {});
  entry late;
  wheel.insert(late, -5);
  EXPECT_EQ(wheel.next_deadline(), 1001);
  EXPECT_EQ(wheel.advance(1001, [](wheel_entry&) {}), 1u);
}

TEST(TimerWheel, WhoSaysWhatTimeItIsGetsTheRoundingOfWhatIsLeft) {
  constexpr std::int64_t tick = 1 << 14;
  constexpr std::int64_t now = 10'000 * tick;
  timer_wheel wheel;
  entry soon;
  wheel.insert(soon, now + 5 * tick + 1, now);
  EXPECT_EQ(wheel.next_deadline(), now + 6 * tick);
}

TEST(TimerWheel, AnEntryMayInsertAndRemoveOthersWhileItExpires) {
  timer_wheel wheel(0, 0);
  entry first;
  entry second;
  entry third;
  wheel.insert(first, 10);
  wheel.insert(second, 10);
  int expired = 0;
  wheel.advance(20, [&](wheel_entry& e) {
    ++expired;
    if (&e == &first && second.link != nullptr) wheel.remove(second);
    if (&e == &second && first.link != nullptr) wheel.remove(first);
    if (expired == 1) wheel.insert(third, 15);
    if (&e == &third) wheel.insert(e, 30);
  });
  EXPECT_EQ(expired, 2);
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(wheel.next_deadline(), 30);
}

// Every entry expires once, not early, and not later than the wheel's grain allows.
void against_a_sorted_list(unsigned shift, unsigned slack, std::int64_t step, std::int64_t reach, unsigned seed) {
  std::mt19937_64 random(seed);
  timer_wheel wheel(shift, slack);
  std::map<entry*, std::int64_t> armed;
  std::vector<std::unique_ptr<entry>> all;
  std::int64_t now = 1'000'000'007;
  wheel.advance(now, [](wheel_entry&) {});
  for (int round = 0; round < 4000; ++round) {
    if (random() % 3 != 0) {
      auto& e = all.emplace_back(std::make_unique<entry>());
      const auto span = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(reach) >> random() % 20);
      e->deadline = now + span;
      wheel.insert(*e, e->deadline);
      armed[e.get()] = now;
    } else if (!armed.empty() && random() % 2 == 0) {
      const auto victim = std::next(armed.begin(), static_cast<std::ptrdiff_t>(random() % armed.size()));
      wheel.remove(*victim->first);
      armed.erase(victim);
    }
    now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(step));
    wheel.advance(now, [&](wheel_entry& w) {
      auto& e = static_cast<entry&>(w);
      ASSERT_EQ(armed.count(&e), 1u);
      ASSERT_GE(now, e.deadline);
      armed.erase(&e);
    });
    for (const auto& [e, since] : armed) {
      const std::int64_t left = e->deadline - since;
      const std::int64_t grain =
          std::max(std::int64_t{1} << shift, std::min(left / 16, std::int64_t{1} << (shift + slack)));
      ASSERT_LT(now, e->deadline + grain + 2 * (std::int64_t{1} << shift) + 1);
    }
    ASSERT_EQ(wheel.size(), armed.size());
    std::int64_t least = INT64_MAX;
    for (const auto& [e, since] : armed) least = std::min(least, e->deadline);
    if (!armed.empty()) {
      ASSERT_LT(wheel.next_deadline(), INT64_MAX);
      ASSERT_GE(wheel.next_deadline() + (std::int64_t{1} << (shift + slack)), now);
    }
  }
}

TEST(TimerWheel, HoldsWhatASortedListHolds) {
  against_a_sorted_list(0, 0, 50, 1'000'000, 1);
  against_a_sorted_list(0, 0, 100'000, 1'000'000'000, 2);
  against_a_sorted_list(14, 6, 100'000, 100'000'000, 3);
  against_a_sorted_list(14, 6, 5'000'000, 10'000'000'000, 4);
}

TEST(TimerWheel, NearDeadlinesArePreciseAndFarOnesExpireTogether) {
  timer_wheel wheel;
  entry near;
  wheel.insert(near, 100'000);
  EXPECT_GE(wheel.next_deadline(), 100'000);
  EXPECT_LT(wheel.next_deadline(), 100'000 + (1 << 14));
  wheel.remove(near);
  entry one;
  entry other;
  wheel.insert(one, 1'000'000'000);
  wheel.insert(other, 1'000'100'000);
  EXPECT_EQ(one.tick, other.tick);
}

}  // namespace
}  // namespace sluice::impl
