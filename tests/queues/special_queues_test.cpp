// tests: queues/spsc_queue.hpp queues/spsc_ring.hpp queues/local_queue.hpp queues/local_ring.hpp
// The queues for one putter and one getter, and for one thread: the same behaviour as sluice::queue has, which is tested beside them.
#include <sluice/queues/local_queue.hpp>
#include <sluice/queues/queue.hpp>
#include <sluice/queues/spsc_queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using test::coroutine;
using test::executor;

template <class Queue>
coroutine put_range(executor&, Queue& q, int count, std::string& outcome) {
  try {
    for (int i = 0; i < count; ++i) co_await q.put(int{i});
    outcome = "put";
  } catch (const cancelled&) {
    outcome = "cancelled";
  } catch (const queue_closed&) {
    outcome = "closed";
  }
}
template <class Queue>
coroutine get_all(executor&, Queue& q, std::vector<int>& got) {
  while (auto item = co_await q.lease()) got.push_back(**item);
}
template <class Queue>
coroutine join(executor&, Queue& q, bool& joined) {
  co_await q.join();
  joined = true;
}

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i) all.push_back(i);
  return all;
}

template <class Queue>
class special_queue : public testing::Test {};
using kinds = testing::Types<queue<int>, spsc_queue<int>, local_queue<int>>;
TYPED_TEST_SUITE(special_queue, kinds);

TYPED_TEST(special_queue, holds_exactly_its_capacity_in_order) {
  for (std::size_t capacity : {1U, 2U, 3U, 8U}) {
    TypeParam q{capacity};
    for (int lap = 0; lap < 5; ++lap) {
      for (int i = 0; i < static_cast<int>(capacity); ++i) ASSERT_TRUE(q.try_put(int{i}));
      ASSERT_FALSE(q.try_put(99));
      ASSERT_EQ(q.size(), capacity);
      for (int i = 0; i < static_cast<int>(capacity); ++i) ASSERT_EQ(q.try_get(), i);
      ASSERT_EQ(q.try_get(), std::nullopt);
    }
  }
}

TYPED_TEST(special_queue, puts_and_gets_wait_for_each_other) {
  for (std::size_t capacity : {1U, 3U}) {
    executor e;
    TypeParam q{capacity};
    std::vector<int> got;
    std::string outcome;
    bool joined = false;
    get_all(e, q, got);
    put_range(e, q, 100, outcome);
    e.run();
    EXPECT_EQ(outcome, "put");
    join(e, q, joined);
    e.run();
    EXPECT_TRUE(joined);
    q.close();
    e.run();
    EXPECT_EQ(got, numbers(100));
    EXPECT_EQ(e.live, 0U);
  }
}

TYPED_TEST(special_queue, close_ends_a_waiting_put_and_lets_gets_drain) {
  executor e;
  TypeParam q{2};
  std::vector<int> got;
  std::string outcome;
  put_range(e, q, 5, outcome);
  e.run();
  q.close();
  e.run();
  EXPECT_EQ(outcome, "closed");
  EXPECT_THROW((void)q.try_put(7), queue_closed);
  get_all(e, q, got);
  e.run();
  EXPECT_EQ(got, numbers(2));
}

TYPED_TEST(special_queue, a_cancelled_put_leaves_no_trace) {
  executor e;
  TypeParam q{2};
  std::string outcome;
  impl::task_context* const waiting = put_range(e, q, 5, outcome).context;
  e.run();
  waiting->cancel();
  e.run();
  EXPECT_EQ(outcome, "cancelled");
  EXPECT_EQ(q.try_get(), 0);
  EXPECT_TRUE(q.try_put(7)) << "nobody waits any more";
  EXPECT_EQ(q.try_get(), 1);
  EXPECT_EQ(q.try_get(), 7);
}

TYPED_TEST(special_queue, moves_several_at_once) {
  TypeParam q{5};
  std::vector<int> in = numbers(4);
  std::array<int, 3> out{};
  for (int lap = 0; lap < 4; ++lap) {
    EXPECT_EQ(q.blocking_put_many(in), 4U);
    EXPECT_EQ(q.blocking_get_many(out), 3U);
    EXPECT_EQ(out, (std::array<int, 3>{0, 1, 2}));
    EXPECT_EQ(q.try_get(), 3);
  }
  EXPECT_EQ(q.blocking_put_many(in), 4U);
  q.close();
  EXPECT_THROW((void)q.blocking_put_many(in), queue_closed);
  EXPECT_EQ(q.blocking_get_many(out), 3U);
  EXPECT_EQ(q.blocking_get_many(out), 1U);
  EXPECT_EQ(q.blocking_get_many(out), 0U);
}

TYPED_TEST(special_queue, has_slots_and_looks) {
  TypeParam q{2};
  auto slot = q.try_reserve();
  EXPECT_TRUE(q.try_put(1));
  EXPECT_FALSE(q.try_put(2));
  slot->put(3);
  EXPECT_EQ(q.try_peek(), 1);
  EXPECT_EQ(q.try_get(), 1);
  EXPECT_EQ(q.try_get(), 3);
  EXPECT_EQ(q.close_now(), std::vector<int>{});
}

TEST(spsc_queue, keeps_the_value_of_a_put_that_fails) {
  spsc_queue<std::unique_ptr<int>> q{1};
  auto item = std::make_unique<int>(1);
  q.close();
  EXPECT_THROW((void)q.try_put(std::move(item)), queue_closed);
  EXPECT_EQ(*item, 1);
  EXPECT_THROW(q.set_capacity(2), std::logic_error);
}

TEST(spsc_queue, destroys_what_is_left_in_it) {
  auto item = std::make_shared<int>(1);
  {
    spsc_queue<std::shared_ptr<int>> q{4};
    local_queue<std::shared_ptr<int>> local{4};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(item) && local.try_put(item));
    EXPECT_TRUE(q.try_get() && local.try_get());
    EXPECT_EQ(item.use_count(), 5);
  }
  EXPECT_EQ(item.use_count(), 1);
}

TEST(spsc_queue, two_threads) {
  for (std::size_t capacity : {1U, 2U, 64U}) {
    spsc_queue<std::unique_ptr<int>> q{capacity};
    std::thread putter([&] {
      for (int i = 0; i < 20000; ++i) q.blocking_put(std::make_unique<int>(i));
      q.close();
    });
    int next = 0;
    while (auto item = q.blocking_next()) ASSERT_EQ(**item, next++);
    EXPECT_EQ(next, 20000);
    putter.join();
  }
}

TEST(local_queue, comes_in_every_kind) {
  local_queue<std::unique_ptr<int>> endless{unbounded};
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(endless.try_put(std::make_unique<int>(i)));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(**endless.try_get(), i);
  executor e;
  local_queue<int> hand{rendezvous};
  std::vector<int> got;
  std::string outcome;
  put_range(e, hand, 3, outcome);
  get_all(e, hand, got);
  e.run();
  EXPECT_EQ(got, numbers(3));
  hand.close();
  e.run();
  local_queue<int> lossy{1, {overflow_policy::drop_oldest}};
  EXPECT_TRUE(lossy.try_put(1));
  EXPECT_TRUE(lossy.try_put(2));
  EXPECT_EQ(lossy.try_get(), 2);
  lossy.set_capacity(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(lossy.try_put(int{i}));
}

}  // namespace
}  // namespace sluice
