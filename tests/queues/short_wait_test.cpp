#include <sluice/queues/short_wait.hpp>

#include <gtest/gtest.h>

namespace sluice::impl {
namespace {

using namespace std::chrono_literals;

// The length of one absence after another; each race is lost so long after the end of the one before.
class loser {
 public:
  std::chrono::nanoseconds loses_after(std::chrono::nanoseconds calm) {
    const time_point lost = back_ + calm;
    back_ = length_.lost(lost);
    return back_ - lost;
  }

 private:
  turn_length length_;
  time_point back_ = time_point{} + 1h;
};

TEST(turn_length, doubles_while_every_race_is_lost_and_has_an_end) {
  loser l;
  EXPECT_EQ(l.loses_after(0ns), 1us);
  EXPECT_EQ(l.loses_after(1999ns), 2us);
  EXPECT_EQ(l.loses_after(0ns), 4us);
  EXPECT_EQ(l.loses_after(7999ns), 8us);
  EXPECT_EQ(l.loses_after(0ns), 16us);
  EXPECT_EQ(l.loses_after(0ns), 32us);
  EXPECT_EQ(l.loses_after(0ns), 32us);
}

TEST(turn_length, stays_and_shrinks_when_races_are_rare) {
  loser l;
  for (int i = 0; i < 6; ++i) l.loses_after(0ns);
  EXPECT_EQ(l.loses_after(100us), 32us);
  EXPECT_EQ(l.loses_after(129us), 16us);
  EXPECT_EQ(l.loses_after(65us), 8us);
  EXPECT_EQ(l.loses_after(129us), 1us) << "more than sixteen times as long: the contention was another one";
  EXPECT_EQ(l.loses_after(5us), 1us);
  EXPECT_EQ(l.loses_after(1h), 1us);
}

TEST(backoff, comes_back) {
  const time_point before = now();
  backoff lost;
  for (int i = 0; i < 8; ++i) lost();
  EXPECT_GE(now() - before, 8 * turn_length::shortest);
}

}  // namespace
}  // namespace sluice::impl
