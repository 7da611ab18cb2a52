// The split deque in one thread: order, publishing, taking back, growth, wrap-around of indexes.

#include <sluice/scheduler/fork_deque.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <numeric>
#include <random>
#include <vector>

namespace sluice::impl {
namespace {

using deque = fork_deque<int>;

std::vector<int> numbers(std::size_t n) {
  std::vector<int> v(n);
  std::iota(v.begin(), v.end(), 0);
  return v;
}

TEST(ForkDeque, PopsTheNewestAndStealsTheOldest) {
  auto v = numbers(4);
  deque d(4);
  for (int& i : v) ASSERT_TRUE(d.push(&i));
  EXPECT_TRUE(d.publish());
  int* stolen = nullptr;
  ASSERT_EQ(d.steal(stolen), deque::outcome::took);
  EXPECT_EQ(*stolen, 0);
  EXPECT_EQ(*d.pop(), 3);
  ASSERT_EQ(d.steal(stolen), deque::outcome::took);
  EXPECT_EQ(*stolen, 1);
  EXPECT_EQ(*d.pop(), 2);
  EXPECT_EQ(d.pop(), nullptr);
  EXPECT_EQ(d.steal(stolen), deque::outcome::empty);
}

TEST(ForkDeque, TakesBackTheNewestOnlyIfItIsTheOneThatWasMeant) {
  auto v = numbers(3);
  deque d(4);
  EXPECT_FALSE(d.pop_if(&v[0]));
  for (int& i : v) ASSERT_TRUE(d.push(&i));
  EXPECT_FALSE(d.pop_if(&v[1])) << "it is not the newest";
  EXPECT_TRUE(d.pop_if(&v[2]));
  EXPECT_TRUE(d.publish());  // 0 is public, 1 private
  EXPECT_FALSE(d.pop_if(&v[0]));
  EXPECT_TRUE(d.pop_if(&v[1]));
  EXPECT_FALSE(d.pop_if(&v[1])) << "what is public is compared, too";
  EXPECT_TRUE(d.pop_if(&v[0]));
  EXPECT_TRUE(d.empty());
  for (int& i : v) ASSERT_TRUE(d.push(&i));
  EXPECT_TRUE(d.publish(3));  // two of three
  EXPECT_TRUE(d.pop_if(&v[2]));
  EXPECT_FALSE(d.pop_if(&v[0]));
  EXPECT_TRUE(d.pop_if(&v[1])) << "out of two public ones";
  int* stolen = nullptr;
  ASSERT_EQ(d.steal(stolen), deque::outcome::took);
  EXPECT_FALSE(d.pop_if(&v[0])) << "it was stolen";
}

TEST(ForkDeque, KeepsEverythingPrivateUntilAThiefAsks) {
  auto v = numbers(2);
  deque d;
  ASSERT_TRUE(d.push(&v[0]));
  EXPECT_FALSE(d.wanted());
  EXPECT_FALSE(d.has_public());
  int* stolen = nullptr;
  EXPECT_EQ(d.steal(stolen), deque::outcome::empty);
  EXPECT_TRUE(d.wanted());
  EXPECT_TRUE(d.publish());
  EXPECT_TRUE(d.has_public());
  d.set_wanted(false);
  EXPECT_FALSE(d.wanted());
}

TEST(ForkDeque, PublishesTheOlderHalfAndOnlyWhenNothingIsPublic) {
  auto v = numbers(5);
  deque d;
  for (int& i : v) ASSERT_TRUE(d.push(&i));
  EXPECT_TRUE(d.publish());
  EXPECT_EQ(d.public_size(), 3u);
  EXPECT_FALSE(d.publish());
  EXPECT_EQ(d.public_size(), 3u);
}

TEST(ForkDeque, TakesBackWhatWasPublished) {
  auto v = numbers(8);
  deque d;
  for (int& i : v) ASSERT_TRUE(d.push(&i));
  EXPECT_TRUE(d.publish());
  for (int i = 7; i >= 0; --i) EXPECT_EQ(*d.pop(), i);
  EXPECT_TRUE(d.empty());
}

TEST(ForkDeque, HoldsWhatASequentialDequeHolds) {
  std::mt19937 random(5);
  auto v = numbers(20000);
  deque d(2);
  std::deque<int*> expected;
  std::size_t next = 0;
  for (int step = 0; step < 60000 && next < v.size(); ++step) {
    switch (random() % 8) {
      case 0: {
        int* stolen = nullptr;
        if (d.steal(stolen) == deque::outcome::took) {
          ASSERT_EQ(stolen, expected.front());
          expected.pop_front();
        }
        break;
      }
      case 1:
        d.publish();
        break;
      case 2:
      case 3: {
        int* const popped = d.pop();
        ASSERT_EQ(popped, expected.empty() ? nullptr : expected.back());
        if (popped != nullptr) expected.pop_back();
        break;
      }
      default:
        ASSERT_TRUE(d.push(&v[next]));
        expected.push_back(&v[next++]);
    }
  }
  while (!expected.empty()) {
    ASSERT_EQ(d.pop(), expected.back());
    expected.pop_back();
  }
  EXPECT_EQ(d.pop(), nullptr);
}

}  // namespace
}  // namespace sluice::impl
