// The tagged stack in one thread.

#include <sluice/scheduler/tagged_stack.hpp>

#include <gtest/gtest.h>

namespace sluice::impl {
namespace {

TEST(TaggedStack, IsLastInFirstOut) {
  tagged_stack<int, 2> stack;
  int value = 0;
  EXPECT_FALSE(stack.pop(value));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(stack.push(i));
  for (int i = 99; i >= 0; --i) {
    ASSERT_TRUE(stack.pop(value));
    EXPECT_EQ(value, i);
  }
  EXPECT_FALSE(stack.pop(value));
}

TEST(TaggedStack, UsesItsNodesAgain) {
  tagged_stack<int, 2> stack;
  for (int i = 0; i < 10'000'000; ++i) {  // far more than all its segments could hold
    int value = -1;
    ASSERT_TRUE(stack.push(i));
    ASSERT_TRUE(stack.pop(value));
    ASSERT_EQ(value, i);
  }
}

}  // namespace
}  // namespace sluice::impl
