#include <sluice/queues/blocking_range.hpp>
#include <sluice/queues/channel.hpp>
#include <sluice/queues/lifo_queue.hpp>
#include <sluice/queues/queue.hpp>
#include <sluice/queues/weighted_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <vector>

namespace sluice {
namespace {

static_assert(std::ranges::input_range<decltype(std::declval<queue<int>&>().blocking_items())>);

template <class Source>
std::vector<int> all_of(Source& source) {
  std::vector<int> got;
  for (int& item : source.blocking_items()) got.push_back(item);
  return got;
}

TEST(blocking_items, come_in_order_and_end_when_the_queue_is_closed_and_drained) {
  queue<int> q{2};
  std::thread putter([&q] {
    for (int i = 0; i < 100; ++i) q.blocking_put(i);
    q.close();
  });
  const std::vector<int> got = all_of(q);
  putter.join();
  ASSERT_EQ(got.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
}

TEST(blocking_items, of_the_other_queues) {
  lifo_queue<int> stack{3};
  weighted_queue<int> weighted{9, [](const int& i) { return static_cast<std::size_t>(i); }};
  auto [sender, receiver] = make_channel<int>(3);
  for (int i = 1; i < 4; ++i) {
    stack.blocking_put(i);
    weighted.blocking_put(i);
    sender.blocking_put(i);
  }
  stack.close();
  weighted.close();
  {
    const auto last = std::move(sender);
  }
  EXPECT_EQ(all_of(stack), (std::vector{3, 2, 1}));
  EXPECT_EQ(all_of(weighted), (std::vector{1, 2, 3}));
  EXPECT_EQ(all_of(receiver), (std::vector{1, 2, 3}));
}

TEST(blocking_items, lie_in_the_range_until_the_next_turn) {
  queue<std::shared_ptr<int>> q{2};
  const auto first = std::make_shared<int>(1);
  q.blocking_put(first);
  q.blocking_put(std::make_shared<int>(2));
  q.close();
  int turns = 0;
  for (std::shared_ptr<int>& item : q.blocking_items()) {
    EXPECT_EQ(first.use_count(), turns == 0 ? 2 : 1) << "an item does not outlive its turn";
    EXPECT_EQ(*item, ++turns);
    EXPECT_EQ(item == first, turns == 1);
  }
  EXPECT_EQ(turns, 2);
}

TEST(blocking_items, left_midway_leave_the_rest) {
  queue<int> q{3};
  for (int i = 0; i < 3; ++i) q.blocking_put(i);
  for (int& item : q.blocking_items()) {
    EXPECT_EQ(item, 0);
    break;
  }
  EXPECT_EQ(q.size(), 2u);
  EXPECT_EQ(q.try_get(), 1);
  auto items = q.blocking_items();
  for (int pass = 2; pass < 4; ++pass) {
    q.blocking_put(pass + 1);
    for (int& item : items) {
      EXPECT_EQ(item, pass) << "a second loop begins with the next item";
      break;
    }
  }
}

TEST(blocking_items, are_taken_by_those_who_look_for_them_only) {
  queue<int> q{6};
  for (int i = 0; i < 6; ++i) q.blocking_put(i);
  std::vector<int> got;
  for (int& item : q.blocking_items() | std::views::take(3)) got.push_back(item);
  std::ranges::copy_n(q.blocking_items().begin(), 2, std::back_inserter(got));
  EXPECT_EQ(got, (std::vector{0, 1, 2, 3, 4}));
  EXPECT_EQ(q.size(), 1u) << "and the call did not wait for a seventh";
}

TEST(blocking_items, end_whatever_the_cause) {
  queue<int> q{1};
  q.blocking_put(1);
  q.close(std::make_exception_ptr(std::runtime_error("the disk is full")));
  EXPECT_EQ(all_of(q), std::vector{1});
  EXPECT_NE(q.cause(), nullptr) << "who wants to know why asks";
}

}  // namespace
}  // namespace sluice
