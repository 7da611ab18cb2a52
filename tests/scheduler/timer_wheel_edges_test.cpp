// The wheel where levels meet and where time ends: every boundary of its eleven levels from both sides, and long random lives
// beside a multimap.
// tests: scheduler/timer_wheel.hpp

#include <sluice/scheduler/timer_wheel.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sluice::impl {
namespace {

struct precision {
  unsigned shift;
  unsigned slack;

  std::uint64_t last_tick() const { return static_cast<std::uint64_t>(INT64_MAX) >> shift; }
  std::int64_t ns(std::uint64_t tick) const {
    return tick > last_tick() ? INT64_MAX : static_cast<std::int64_t>(tick << shift);
  }
  std::string name() const { return "shift " + std::to_string(shift) + ", slack " + std::to_string(slack); }
};

constexpr precision exact{0, 0};
constexpr precision usual{14, 6};
constexpr precision every_precision[] = {exact, {0, 6}, {5, 3}, {14, 0}, usual};

// The rounding as the wheel promises it, said in another way: up to a tick; beyond 32 ticks up to the next multiple of the
// smallest power of two that is more than 1/32 of what is left, 2^slack at most; and later than `current`.
std::uint64_t rounded(precision p, std::int64_t deadline, std::uint64_t current) {
  const std::uint64_t one = std::uint64_t{1} << p.shift;
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(deadline, 0));
  std::uint64_t tick = ns / one + (ns % one != 0 ? 1 : 0);
  if (tick > current && tick - current > 32) {
    std::uint64_t grain = 1;
    while (grain < std::uint64_t{1} << p.slack && grain * 32 <= tick - current) grain *= 2;
    if (tick % grain != 0) tick += grain - tick % grain;
  }
  return std::max(tick, current + 1);
}

// 64^k - 1, 64^k, 64^k + 1 for every level, the same for multiples of it, and what is left at the end of time.
std::vector<std::uint64_t> edges(precision p) {
  std::set<std::uint64_t> all{1, 2, 31, 32, 33, 34, p.last_tick() - 1, p.last_tick()};
  for (unsigned level = 0; level <= 10; ++level) {
    for (const std::uint64_t times : {1u, 2u, 7u, 63u}) {
      if (level == 10 && times > 7) continue;
      const std::uint64_t edge = times << (6 * level);
      for (const std::uint64_t tick : {edge - 1, edge, edge + 1}) {
        if (tick != 0 && tick <= p.last_tick()) all.insert(tick);
      }
    }
  }
  return {all.begin(), all.end()};
}

// Where a wheel may stand before an entry for `tick` comes.
std::vector<std::uint64_t> standpoints(precision p, std::uint64_t tick) {
  std::set<std::uint64_t> all{0, tick - 1, tick / 2};
  for (const std::uint64_t before : {2u, 31u, 32u, 33u, 63u, 64u, 65u, 4095u, 4096u}) {
    if (tick >= before) all.insert(tick - before);
  }
  for (const std::uint64_t edge : edges(p)) {
    if (edge < tick) all.insert(edge);
  }
  return {all.begin(), all.end()};
}

std::size_t advance(timer_wheel& wheel, std::int64_t now) {
  return wheel.advance(now, [](wheel_entry&) {});
}

// One entry, waited for in one jump, or with a stop at each edge on the way.
void expires_at_its_tick(precision p, std::uint64_t from, std::int64_t deadline, bool stops) {
  SCOPED_TRACE(p.name() + ": from tick " + std::to_string(from) + " to " + std::to_string(deadline) + " ns");
  timer_wheel wheel(p.shift, p.slack);
  ASSERT_EQ(advance(wheel, p.ns(from)), 0u);
  wheel_entry e;
  wheel.insert(e, deadline);
  const std::uint64_t expected = rounded(p, deadline, from);
  ASSERT_EQ(e.tick, expected);
  if (stops) {
    for (const std::uint64_t edge : edges(p)) {
      if (edge <= from || edge >= expected || p.ns(edge) == INT64_MAX) continue;
      ASSERT_EQ(advance(wheel, p.ns(edge)), 0u) << "early, at " << edge;
      ASSERT_LE(wheel.next_deadline(), p.ns(expected)) << "at " << edge;
      ASSERT_GT(wheel.next_deadline(), p.ns(edge)) << "at " << edge;
    }
  }
  ASSERT_EQ(wheel.next_deadline(), p.ns(expected));
  if (expected > p.last_tick()) {
    ASSERT_EQ(advance(wheel, INT64_MAX), 0u) << "it is after the end of time";
    return;
  }
  ASSERT_GE(p.ns(expected), deadline);
  ASSERT_EQ(advance(wheel, p.ns(expected) - 1), 0u) << "early";
  ASSERT_EQ(wheel.next_deadline(), p.ns(expected));
  ASSERT_EQ(advance(wheel, p.ns(expected)), 1u) << "late";
  ASSERT_EQ(wheel.size(), 0u);
  ASSERT_EQ(wheel.next_deadline(), INT64_MAX);
}

TEST(TimerWheelEdges, AnEntryExpiresAtItsRoundedTickBesideEveryBoundaryFromEverywhere) {
  for (const precision p : every_precision) {
    for (const std::uint64_t tick : edges(p)) {
      for (const std::uint64_t from : standpoints(p, tick)) {
        const std::int64_t deadline = p.ns(tick);
        ASSERT_NO_FATAL_FAILURE(expires_at_its_tick(p, from, deadline, (from + tick) % 8 == 0));
        if (p.shift == 0) continue;
        ASSERT_NO_FATAL_FAILURE(expires_at_its_tick(p, from, deadline - 1, false));  // rounds up to the same
        ASSERT_NO_FATAL_FAILURE(expires_at_its_tick(p, from, deadline + 1, false));  // and to the next
      }
    }
  }
}

TEST(TimerWheelEdges, WhoSleepsUntilTheNextDeadlineFindsEveryEntryInOrderAndNeverWakesForNothing) {
  for (const precision p : every_precision) {
    const std::vector<std::uint64_t> ticks = edges(p);
    for (const std::uint64_t from : ticks) {
      SCOPED_TRACE(p.name() + ": from tick " + std::to_string(from));
      timer_wheel wheel(p.shift, p.slack);
      ASSERT_EQ(advance(wheel, p.ns(from)), 0u);
      std::vector<wheel_entry> entries(ticks.size());
      std::multiset<std::uint64_t> expected;
      for (std::size_t i = 0; i < ticks.size(); ++i) {
        wheel.insert(entries[i], p.ns(ticks[i]));
        expected.insert(rounded(p, p.ns(ticks[i]), from));
      }
      while (!expected.empty() && *expected.begin() <= p.last_tick()) {
        const std::uint64_t tick = *expected.begin();
        ASSERT_EQ(wheel.next_deadline(), p.ns(tick));
        const auto expire = [&](wheel_entry& e) { EXPECT_EQ(e.tick, tick); };
        ASSERT_EQ(wheel.advance(p.ns(tick), expire), expected.erase(tick));
      }
      ASSERT_EQ(wheel.size(), expected.size());
      ASSERT_EQ(wheel.next_deadline(), INT64_MAX);
    }
  }
}

TEST(TimerWheelEdges, TheEndOfTimeIsATickOfAnExactWheel) {
  timer_wheel wheel(0, 0);
  wheel_entry last;
  wheel_entry last_but_one;
  wheel.insert(last, INT64_MAX);
  wheel.insert(last_but_one, INT64_MAX - 1);
  EXPECT_EQ(advance(wheel, INT64_MAX - 2), 0u);
  EXPECT_EQ(wheel.next_deadline(), INT64_MAX - 1);
  EXPECT_EQ(advance(wheel, INT64_MAX - 1), 1u);
  EXPECT_EQ(wheel.next_deadline(), INT64_MAX);
  EXPECT_EQ(advance(wheel, INT64_MAX), 1u);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheelEdges, WhatRoundsUpBeyondTheEndOfTimeNeverExpires) {
  for (const precision p : {precision{0, 6}, precision{5, 3}, precision{14, 0}, usual}) {
    SCOPED_TRACE(p.name());
    const std::int64_t last = p.ns(p.last_tick());
    timer_wheel wheel(p.shift, p.slack);
    std::vector<wheel_entry> entries(3);
    wheel.insert(entries[0], INT64_MAX);
    wheel.insert(entries[1], INT64_MAX - (p.shift == 0 ? 0 : 1));
    wheel.insert(entries[2], last + (p.shift == 0 ? 0 : 1));
    for (const wheel_entry& e : entries) EXPECT_EQ(e.tick, p.last_tick() + 1);
    EXPECT_EQ(wheel.next_deadline(), INT64_MAX);
    EXPECT_EQ(advance(wheel, INT64_MAX), 0u);
    EXPECT_EQ(wheel.next_deadline(), INT64_MAX);
    for (wheel_entry& e : entries) wheel.remove(e);
    EXPECT_EQ(wheel.size(), 0u);
  }
}

TEST(TimerWheelEdges, TheLastTickExpiresForWhoAsksNearIt) {
  for (const precision p : every_precision) {
    SCOPED_TRACE(p.name());
    timer_wheel wheel(p.shift, p.slack);
    EXPECT_EQ(advance(wheel, p.ns(p.last_tick() - 32)), 0u);
    wheel_entry e;
    wheel.insert(e, p.ns(p.last_tick()));
    EXPECT_EQ(e.tick, p.last_tick());
    EXPECT_EQ(advance(wheel, p.ns(p.last_tick()) - 1), 0u);
    EXPECT_EQ(advance(wheel, INT64_MAX), 1u);
  }
}

TEST(TimerWheelEdges, AtTheEndOfTimeNothingExpiresAnyMoreAndEverythingCanBeRemoved) {
  for (const precision p : every_precision) {
    SCOPED_TRACE(p.name());
    timer_wheel wheel(p.shift, p.slack);
    EXPECT_EQ(advance(wheel, INT64_MAX), 0u);
    std::vector<wheel_entry> entries(5);
    const std::int64_t deadlines[] = {INT64_MIN, -1, 0, INT64_MAX - 1, INT64_MAX};
    for (std::size_t i = 0; i < entries.size(); ++i) wheel.insert(entries[i], deadlines[i], INT64_MAX);
    EXPECT_EQ(wheel.next_deadline(), INT64_MAX);
    EXPECT_EQ(advance(wheel, INT64_MAX), 0u);
    EXPECT_EQ(advance(wheel, INT64_MIN), 0u);
    EXPECT_EQ(wheel.size(), entries.size());
    for (wheel_entry& e : entries) wheel.remove(e);
    EXPECT_EQ(wheel.size(), 0u);
  }
}

TEST(TimerWheelEdges, TimeThatGoesBackMovesNothing) {
  for (const precision p : every_precision) {
    SCOPED_TRACE(p.name());
    timer_wheel wheel(p.shift, p.slack);
    EXPECT_EQ(advance(wheel, p.ns(5000)), 0u);
    wheel_entry e;
    wheel.insert(e, p.ns(4096), p.ns(1));
    EXPECT_EQ(e.tick, 5001u);
    EXPECT_EQ(advance(wheel, p.ns(4096)), 0u);
    EXPECT_EQ(advance(wheel, INT64_MIN), 0u);
    EXPECT_EQ(wheel.next_deadline(), p.ns(5001));
    wheel_entry other;
    wheel.insert(other, p.ns(100));
    EXPECT_EQ(other.tick, 5001u);
    EXPECT_EQ(advance(wheel, p.ns(5000)), 0u);
    EXPECT_EQ(advance(wheel, p.ns(5001)), 2u);
  }
}

// A wheel and a multimap that live through the same.
class twins {
 public:
  /// Deadlines are up to 2^bits ns away.
  twins(precision p, unsigned bits, std::uint64_t seed) : p_(p), bits_(bits), random_(seed), wheel_(p.shift, p.slack) {}

  void live(int rounds) {
    for (int i = 0; i < rounds && !::testing::Test::HasFatalFailure(); ++i) {
      switch (random_() % 8) {
        case 0:
          if (!all_.empty()) remove(*any());
          break;
        case 1:
        case 2:
          advance_to(goal());
          break;
        default:
          insert();
      }
      compare();
    }
    advance_to(INT64_MAX);
    compare();
  }
  std::uint64_t expired() const { return expired_; }

 private:
  struct entry : wheel_entry {
    std::multimap<std::uint64_t, entry*>::iterator place;
    std::size_t index = 0;
  };

  // As many numbers of one bit as of `bits_`.
  std::uint64_t any_size() { return random_() >> (63 - random_() % bits_); }
  entry* any() { return all_[random_() % all_.size()].get(); }

  std::uint64_t now_ns() const { return static_cast<std::uint64_t>(now_); }
  std::int64_t later(std::uint64_t by) const {
    return static_cast<std::int64_t>(std::min(now_ns() + by, static_cast<std::uint64_t>(INT64_MAX)));
  }

  void insert() {
    auto made = std::make_unique<entry>();
    made->index = all_.size();
    arm(*made);
    all_.push_back(std::move(made));
  }
  void arm(entry& e) {
    const std::int64_t deadline =
        later(any_size()) - static_cast<std::int64_t>(random_() % 4 == 0 ? random_() % 64 : 0);
    wheel_.insert(e, deadline);
    const std::uint64_t expected = rounded(p_, deadline, current_);
    ASSERT_EQ(e.tick, expected);
    e.place = sorted_.emplace(expected, &e);
  }
  void remove(entry& e) {
    wheel_.remove(e);
    sorted_.erase(e.place);
    forget(e);
  }
  void forget(entry& e) {
    all_.back()->index = e.index;
    std::swap(all_[e.index], all_.back());
    all_.pop_back();
  }

  // Where to go: a jump of any size, the next deadline, or beside a boundary of any level.
  std::int64_t goal() {
    switch (random_() % 4) {
      case 0:
        return later(any_size() >> bits_ / 3);
      case 1:
        return std::max(now_, std::min(wheel_.next_deadline(), later(std::uint64_t{1} << bits_)));
      case 2:
        return later(std::uint64_t{1} << random_() % bits_ >> 1);
      default: {
        const auto digits = static_cast<unsigned>(6 * (random_() % (1 + (bits_ - p_.shift) / 8)));
        const std::uint64_t edge = ((current_ >> digits) + 1) << digits;
        const std::int64_t at = p_.ns(edge + random_() % 3 - 1);
        return std::max(at, now_);
      }
    }
  }

  void advance_to(std::int64_t now) {
    const std::uint64_t target = static_cast<std::uint64_t>(now) >> p_.shift;
    wheel_.advance(now, [&](wheel_entry& w) {
      auto& e = static_cast<entry&>(w);
      ASSERT_FALSE(sorted_.empty());
      ASSERT_EQ(e.tick, sorted_.begin()->first) << "out of order";
      ASSERT_LE(e.tick, target) << "early";
      current_ = e.tick;  // what is armed within goes by it
      sorted_.erase(e.place);
      ++expired_;
      const auto what = random_() % 8;
      if (what == 0) {
        arm(e);  // perhaps to expire at once
      } else {
        forget(e);
        if (what == 1 && !all_.empty()) remove(*any());
      }
    });
    now_ = now;
    current_ = std::max(current_, target);
    ASSERT_TRUE(sorted_.empty() || sorted_.begin()->first > target) << "late";
  }

  void compare() {
    ASSERT_EQ(wheel_.size(), sorted_.size());
    if (sorted_.empty()) {
      ASSERT_EQ(wheel_.next_deadline(), INT64_MAX);
      return;
    }
    ASSERT_LE(wheel_.next_deadline(), p_.ns(sorted_.begin()->first));
    if (now_ != INT64_MAX) {
      ASSERT_GT(wheel_.next_deadline(), p_.ns(current_));
    }
  }

  precision p_;
  unsigned bits_;
  std::mt19937_64 random_;
  timer_wheel wheel_;
  std::multimap<std::uint64_t, entry*> sorted_;
  std::vector<std::unique_ptr<entry>> all_;
  std::int64_t now_ = 0;
  std::uint64_t current_ = 0;  // a tick
  std::uint64_t expired_ = 0;
};

TEST(TimerWheelEdges, LivesLikeAMultimap) {
  for (const precision p : every_precision) {
    std::uint64_t expired = 0;
    for (unsigned bits = p.shift + 4; bits < 62; bits += 4) {
      SCOPED_TRACE(p.name() + ", deadlines of up to " + std::to_string(bits) + " bits");
      twins both(p, bits, 1000 + bits);
      ASSERT_NO_FATAL_FAILURE(both.live(10'000));
      expired += both.expired();
    }
    EXPECT_GT(expired, 1000u) << p.name() << ": too little happened";
  }
}

}  // namespace
}  // namespace sluice::impl
