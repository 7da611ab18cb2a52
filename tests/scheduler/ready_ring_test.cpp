// The ready ring in one thread: order, capacity, half-steals, spills.

#include <sluice/scheduler/ready_ring.hpp>

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace sluice::impl {
namespace {

template <std::uint32_t Capacity>
struct filled_ring {
  explicit filled_ring(std::uint32_t n, std::uint32_t used_before = 0) : v(n + used_before + Capacity) {
    std::iota(v.begin(), v.end(), 0);
    for (std::uint32_t i = 0; i < used_before; ++i) {
      EXPECT_TRUE(ring.push(&v[n + i]));
      EXPECT_NE(ring.pop(), nullptr);
    }
    for (std::uint32_t i = 0; i < n; ++i) EXPECT_TRUE(ring.push(&v[i]));
  }
  std::vector<int> v;
  ready_ring<int, Capacity> ring;
};

TEST(ReadyRing, IsFirstInFirstOut) {
  for (const std::uint32_t before : {0u, 3u, 7u}) {
    filled_ring<4> f(4, before);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(*f.ring.pop(), i);
    EXPECT_EQ(f.ring.pop(), nullptr);
  }
}

TEST(ReadyRing, IsTheSameForAnOwnerWithoutThieves) {
  for (const std::uint32_t before : {0u, 3u, 7u}) {
    filled_ring<4> f(4, before);
    int* spilled[2] = {};
    ASSERT_EQ(f.ring.spill(spilled), 2u);
    EXPECT_EQ(*spilled[0], 2);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(*f.ring.pop_alone(), i);
    EXPECT_EQ(f.ring.pop_alone(), nullptr);
    EXPECT_TRUE(f.ring.push(&f.v[0]));
    EXPECT_EQ(f.ring.size(), 1u);
    EXPECT_EQ(f.ring.pop_alone(), &f.v[0]);
  }
  std::vector<int> v(6);
  ready_ring<int, 4, ~std::uint32_t{0} - 2> ring;  // its indexes go round
  for (int& each : v) {
    EXPECT_TRUE(ring.push(&each));
    EXPECT_EQ(ring.pop_alone(), &each);
    EXPECT_EQ(ring.pop_alone(), nullptr);
  }
}

TEST(ReadyRing, RefusesWhatIsBeyondItsCapacity) {
  filled_ring<4> f(4);
  int extra = 0;
  EXPECT_FALSE(f.ring.push(&extra));
  EXPECT_NE(f.ring.pop(), nullptr);
  EXPECT_TRUE(f.ring.push(&extra));
}

TEST(ReadyRing, GivesTheOlderHalfToAThief) {
  filled_ring<8> f(5);
  int* out[8];
  ASSERT_EQ(f.ring.steal(out, 8), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*out[i], i);
  EXPECT_EQ(*f.ring.pop(), 3);
  ASSERT_EQ(f.ring.steal(out, 8), 1u);
  EXPECT_EQ(*out[0], 4);
  EXPECT_EQ(f.ring.steal(out, 8), 0u);
}

TEST(ReadyRing, GivesNoMoreThanTheThiefHasRoomFor) {
  filled_ring<8> f(8);
  int* out[8];
  EXPECT_EQ(f.ring.steal(out, 2), 2u);
  EXPECT_EQ(f.ring.size(), 6u);
}

TEST(ReadyRing, MovesHalfIntoAnotherRing) {
  filled_ring<8> f(8);
  ready_ring<int, 8> to;
  EXPECT_EQ(*f.ring.steal_into(to), 0);
  for (int i = 1; i < 4; ++i) EXPECT_EQ(*to.pop(), i);
  for (int i = 4; i < 8; ++i) EXPECT_EQ(*f.ring.pop(), i);
}

TEST(ReadyRing, SpillsItsNewerHalfAndKeepsTheOrderOfTheRest) {
  for (const std::uint32_t before : {0u, 1u, 6u}) {
    filled_ring<8> f(8, before);
    int* out[4];
    ASSERT_EQ(f.ring.spill(out), 4u);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(*out[i], 4 + i);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(*f.ring.pop(), i);
    EXPECT_EQ(f.ring.pop(), nullptr);
  }
}

TEST(ReadyRing, DoesNotSpillWhatIsNotFull) {
  filled_ring<8> f(7);
  int* out[4];
  EXPECT_EQ(f.ring.spill(out), 0u);
  EXPECT_EQ(f.ring.size(), 7u);
}

}  // namespace
}  // namespace sluice::impl
