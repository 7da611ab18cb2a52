// tests: queues/queue_slots.hpp queues/queue_server.hpp queues/queue_core.hpp
// Slots that are reserved in a queue, and looks at the item that is the next to go.
#include <sluice/queues/lifo_queue.hpp>
#include <sluice/queues/queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

coroutine reserve(executor&, queue<int>& q, std::optional<queue<int>::slot>& slot, std::string& outcome) {
  try {
    auto kept = co_await q.reserve();
    slot.emplace(std::move(kept));
    outcome = "reserved";
  } catch (const cancelled&) {
    outcome = "cancelled";
  } catch (const queue_closed& error) {
    outcome = error.what();
  }
}
coroutine put_one(executor&, queue<int>& q, int value, std::string& outcome) {
  try {
    co_await q.put(int{value});
    outcome = "put";
  } catch (const queue_closed&) {
    outcome = "closed";
  }
}
coroutine get_all(executor&, queue<int>& q, std::vector<int>& got, std::string& outcome) {
  while (auto item = co_await q.next()) got.push_back(*item);
  outcome = "ended";
}
coroutine peek(executor&, queue<int>& q, std::string& outcome) {
  try {
    outcome = std::to_string(co_await q.peek());
  } catch (const queue_closed&) {
    outcome = "closed";
  }
}

TEST(queue_slot, takes_room_and_no_place_in_the_order) {
  queue<int> q{2};
  auto slot = q.try_reserve();
  ASSERT_TRUE(slot);
  EXPECT_TRUE(q.empty());
  EXPECT_TRUE(q.try_put(1));
  EXPECT_FALSE(q.try_put(2)) << "the slot has the other place";
  EXPECT_FALSE(q.try_reserve());
  EXPECT_TRUE(q.full());
  slot->put(3);
  EXPECT_FALSE(*slot);
  EXPECT_EQ(q.size(), 2U);
  EXPECT_EQ(q.unfinished(), 2U);
  EXPECT_EQ(q.try_get(), 1);
  EXPECT_EQ(q.try_get(), 3);
  EXPECT_TRUE(q.try_put(4)) << "the queue is as it was before";
}

TEST(queue_slot, goes_back_when_it_is_not_used) {
  executor e;
  queue<int> q{1};
  std::string outcome;
  {
    const auto slot = q.try_reserve();
    put_one(e, q, 1, outcome);
    e.run();
    EXPECT_EQ(outcome, "");
  }
  e.run();
  EXPECT_EQ(outcome, "put");
  EXPECT_EQ(q.try_get(), 1);
}

TEST(queue_slot, is_waited_for_among_the_putters) {
  executor e;
  queue<int> q{1};
  std::optional<queue<int>::slot> slot;
  std::string first;
  std::string second;
  EXPECT_TRUE(q.try_put(1));
  reserve(e, q, slot, first);
  put_one(e, q, 2, second);
  e.run();
  EXPECT_EQ(q.try_get(), 1);
  e.run();
  EXPECT_EQ(first, "reserved");
  EXPECT_EQ(second, "");
  slot->put(3);
  e.run();
  EXPECT_EQ(q.try_get(), 3);
  e.run();
  EXPECT_EQ(second, "put");
  EXPECT_EQ(q.try_get(), 2);
}

// The get that lets a waiting putter in must not let newcomers into the slot's room.
TEST(queue_slot, keeps_its_room_beside_a_putter_that_waits) {
  queue<int> q{2};
  executor ex;
  std::string outcome;
  auto slot = q.try_reserve();
  ASSERT_TRUE(slot);
  ASSERT_TRUE(q.try_put(1));
  put_one(ex, q, 2, outcome);
  ex.run();
  EXPECT_EQ(outcome, "");
  EXPECT_EQ(q.try_get(), 1);
  ex.run();
  EXPECT_EQ(outcome, "put");
  EXPECT_FALSE(q.try_put(3));
  slot->put(4);
  EXPECT_FALSE(q.try_put(5));
  EXPECT_EQ(q.try_get(), 2);
  EXPECT_EQ(q.try_get(), 4);
}

TEST(queue_slot, wakes_who_waits_for_an_item) {
  executor e;
  queue<int> q{1};
  std::vector<int> got;
  std::string outcome;
  get_all(e, q, got, outcome);
  e.run();
  q.try_reserve()->put(7);
  e.run();
  EXPECT_EQ(got, std::vector<int>{7});
  q.close();
  e.run();
}

TEST(queue_slot, is_put_into_though_the_queue_is_closed_and_gets_wait_for_it) {
  executor e;
  queue<int> q{4};
  std::vector<int> got;
  std::string outcome;
  std::string refused;
  std::optional<queue<int>::slot> late;
  auto slot = q.try_reserve();
  auto other = q.try_reserve();
  EXPECT_TRUE(q.try_put(1));
  get_all(e, q, got, outcome);
  e.run();
  q.close();
  e.run();
  EXPECT_EQ(outcome, "") << "something may still come";
  EXPECT_EQ(q.try_get(), std::nullopt);
  reserve(e, q, late, refused);
  EXPECT_EQ(refused, "sluice: reserve on queue 'queue', which is closed");
  EXPECT_THROW((void)q.try_reserve(), queue_closed);
  slot->put(2);
  e.run();
  EXPECT_EQ(got, (std::vector<int>{1, 2}));
  EXPECT_EQ(outcome, "");
  other.reset();
  e.run();
  EXPECT_EQ(outcome, "ended");
}

TEST(queue_slot, outlives_close_now) {
  queue<int> q{4};
  auto slot = q.try_reserve();
  EXPECT_TRUE(q.try_put(1));
  EXPECT_EQ(q.close_now(), std::vector<int>{1});
  slot->put(2);
  EXPECT_EQ(q.try_get(), 2);
  EXPECT_THROW((void)q.blocking_get(), queue_closed);
}

TEST(queue_slot, is_kept_when_the_capacity_shrinks) {
  queue<int> q{4};
  auto slot = q.try_reserve();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(int{i}));
  q.set_capacity(1);
  slot->put(3);
  EXPECT_EQ(q.size(), 4U);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(q.try_put(9));
    EXPECT_EQ(q.try_get(), i);
  }
  EXPECT_TRUE(q.try_put(9));
}

TEST(queue_slot, is_reserved_in_every_kind_with_room) {
  lifo_queue<std::unique_ptr<int>> stack{1};
  auto slot = stack.blocking_reserve();
  EXPECT_THROW(stack.blocking_put(std::make_unique<int>(1), 0ms), timed_out);
  slot.put(std::make_unique<int>(2));
  EXPECT_EQ(**stack.try_get(), 2);
  queue<int> endless{unbounded};
  std::vector<queue<int>::slot> slots;
  for (int i = 0; i < 100; ++i) slots.push_back(endless.blocking_reserve(1s));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(endless.try_put(int{i}));
  for (int i = 0; i < 100; ++i) slots[static_cast<std::size_t>(i)].put(100 + i);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(endless.try_get(), i);
  queue<int> none{rendezvous};
  EXPECT_THROW((void)none.reserve(), std::logic_error);
}

TEST(queue_slot, is_used_once) {
  queue<std::string> q{2};
  auto slot = q.try_reserve();
  slot->put("one");
  std::string two = "two";
  EXPECT_THROW(slot->put(std::move(two)), std::logic_error);
  EXPECT_EQ(two, "two");
}

TEST(queue_slot, a_cancelled_wait_for_one_passes_it_on) {
  executor e;
  queue<int> q{1};
  std::optional<queue<int>::slot> slot;
  std::string first;
  std::string second;
  EXPECT_TRUE(q.try_put(1));
  impl::task_context* const waiting = reserve(e, q, slot, first).context;
  put_one(e, q, 2, second);
  waiting->cancel();
  e.run();
  EXPECT_EQ(q.try_get(), 1);
  e.run();
  EXPECT_EQ(first, "cancelled");
  EXPECT_EQ(second, "put");
}

TEST(queue_slot, several_are_filled_by_several_threads) {
  queue<int> q{8};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&q, t] {
      for (int i = 0; i < 500; ++i) {
        auto slot = q.blocking_reserve();
        if (i % 5 != 0) slot.put(t * 1000 + i);
      }
    });
  }
  std::size_t count = 0;
  for (; count < 4 * 400; ++count) (void)q.blocking_get();
  for (auto& t : threads) t.join();
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.unfinished(), count);
}

void destroy_with_a_slot() {
  std::optional<queue<int>::slot> slot;
  queue<int> q{1, {.name = "jobs"}};
  slot.emplace(*q.try_reserve());
}

TEST(queue_slot_death, a_slot_outlives_its_queue) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_with_a_slot(), "queue 'jobs' is destroyed while slots of it are reserved .1.");
}

// ------------------------------------------------------------------------------------------ peek

TEST(queue_peek, shows_what_is_the_next_to_go) {
  queue<int> q{2};
  EXPECT_EQ(q.try_peek(), std::nullopt);
  EXPECT_TRUE(q.try_put(1));
  EXPECT_TRUE(q.try_put(2));
  EXPECT_EQ(q.try_peek(), 1);
  EXPECT_EQ(q.blocking_peek(), 1);
  EXPECT_EQ(q.size(), 2U);
  EXPECT_EQ(q.try_get(), 1);
  EXPECT_EQ(q.blocking_peek(1s), 2);
  EXPECT_EQ(q.try_get(), 2);
  EXPECT_THROW((void)q.blocking_peek(0ms), timed_out);
  q.close();
  EXPECT_THROW((void)q.blocking_peek(0ms), queue_closed);
  lifo_queue<int> stack{2};
  EXPECT_TRUE(stack.try_put(1));
  EXPECT_TRUE(stack.try_put(2));
  EXPECT_EQ(stack.try_peek(), 2);
  EXPECT_EQ(stack.try_get(), 2);
  EXPECT_EQ(stack.try_peek(), 1);
}

TEST(queue_peek, waits_among_the_getters) {
  executor e;
  queue<int> q{2};
  std::string first;
  std::string second;
  std::string outcome;
  std::vector<int> got;
  peek(e, q, first);
  get_all(e, q, got, outcome);
  peek(e, q, second);
  e.run();
  EXPECT_TRUE(q.try_put(1));
  e.run();
  EXPECT_EQ(first, "1");
  EXPECT_EQ(got, std::vector<int>{1});
  EXPECT_EQ(second, "");
  q.close();
  e.run();
  EXPECT_EQ(second, "closed");
}

TEST(queue_peek, is_refused_where_there_is_nothing_to_see) {
  queue<int> q{rendezvous, {.name = "hand"}};
  try {
    (void)q.try_peek();
    FAIL();
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(
        error.what(),
        "sluice: peek on queue 'hand', which is a rendezvous and holds nothing: use get, or give the queue a capacity");
  }
}

}  // namespace
}  // namespace sluice
