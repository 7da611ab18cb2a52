// tests: queues/queue_core.hpp queues/fail.hpp
#include <sluice/queues/queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

coroutine put_all(executor&, queue<int>& q, int from, int count) {
  for (int i = 0; i < count; ++i) co_await q.put(from + i);
}
coroutine get_all(executor&, queue<int>& q, std::vector<int>& got) {
  while (auto item = co_await q.next()) got.push_back(*item);
}
coroutine get_one(executor&, queue<int>& q, std::vector<int>& got, std::string& error) {
  try {
    got.push_back(co_await q.get());
  } catch (const cancelled&) {
    error = "cancelled";
  } catch (const queue_closed& closed) {
    error = closed.what();
  }
}
coroutine put_one(executor&, queue<std::unique_ptr<int>>& q, std::unique_ptr<int>& value, std::string& error) {
  try {
    co_await q.put(std::move(value));
  } catch (const cancelled&) {
    error = "cancelled";
  } catch (const queue_closed& closed) {
    error = closed.what();
  }
}
coroutine join(executor&, queue<int>& q, bool& joined) {
  co_await q.join();
  joined = true;
}

TEST(queue, holds_exactly_its_capacity) {
  for (std::size_t capacity : {1U, 2U, 3U, 5U, 8U, 100U}) {
    queue<int> q{capacity};
    for (std::size_t lap = 0; lap < 3; ++lap) {
      for (std::size_t i = 0; i < capacity; ++i) EXPECT_TRUE(q.try_put(static_cast<int>(i)));
      EXPECT_FALSE(q.try_put(99));
      EXPECT_TRUE(q.full());
      EXPECT_EQ(q.size(), capacity);
      for (std::size_t i = 0; i < capacity; ++i) EXPECT_EQ(q.try_get(), static_cast<int>(i));
      EXPECT_EQ(q.try_get(), std::nullopt);
      EXPECT_TRUE(q.empty());
    }
  }
}

TEST(queue, refuses_a_capacity_of_nothing_and_of_too_much) {
  EXPECT_THROW(queue<int>{0}, std::invalid_argument);
  EXPECT_THROW(queue<int>{SIZE_MAX}, std::invalid_argument);
}

TEST(queue, a_put_that_finds_it_full_leaves_the_value_in_the_callers_object) {
  queue<std::unique_ptr<int>> q{1};
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_TRUE(q.try_put(std::move(first)));
  EXPECT_EQ(first, nullptr);
  EXPECT_FALSE(q.try_put(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_THROW(q.blocking_put(std::move(second), 1ms), timed_out);
  ASSERT_NE(second, nullptr);
}

TEST(queue, passes_everything_through_in_order_at_every_small_capacity) {
  for (std::size_t capacity : {1U, 2U, 3U, 7U}) {
    executor e;
    queue<int> q{capacity};
    std::vector<int> got;
    put_all(e, q, 0, 100);
    get_all(e, q, got);
    e.run();
    q.close();
    e.run();
    ASSERT_EQ(got.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(e.live, 0U);
  }
}

TEST(queue, serves_getters_in_the_order_in_which_they_came) {
  executor e;
  queue<int> q{4};
  std::vector<int> got[3];
  std::string error;
  for (auto& g : got) get_one(e, q, g, error);
  EXPECT_FALSE(q.try_get().has_value());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(int{i}));
  e.run();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(got[i], std::vector<int>{i});
}

TEST(queue, serves_putters_in_the_order_in_which_they_came_and_a_try_never_overtakes_them) {
  executor e;
  queue<int> q{1};
  put_all(e, q, 10, 2);
  put_all(e, q, 20, 1);
  EXPECT_FALSE(q.try_put(30));
  std::vector<int> got;
  get_all(e, q, got);
  e.run();
  q.close();
  e.run();
  EXPECT_EQ(got, (std::vector<int>{10, 11, 20}));
}

TEST(queue, close_lets_getters_drain_and_then_end) {
  executor e;
  queue<int> q{4, {.name = "jobs"}};
  EXPECT_TRUE(q.try_put(1));
  EXPECT_TRUE(q.try_put(2));
  q.close();
  q.close();
  EXPECT_TRUE(q.closed());
  EXPECT_THROW((void)q.try_put(3), queue_closed);
  std::vector<int> got;
  get_all(e, q, got);
  EXPECT_EQ(got, (std::vector<int>{1, 2}));
  std::string error;
  get_one(e, q, got, error);
  EXPECT_NE(error.find("'jobs'"), std::string::npos) << error;
  EXPECT_EQ(e.live, 0U);
}

TEST(queue, close_wakes_waiting_getters_and_putters_with_values_untouched) {
  executor e;
  queue<int> empty{1};
  std::vector<int> got;
  std::string get_error;
  get_one(e, empty, got, get_error);
  empty.close();
  queue<std::unique_ptr<int>> full{1};
  EXPECT_TRUE(full.try_put(std::make_unique<int>(1)));
  auto value = std::make_unique<int>(2);
  std::string put_error;
  put_one(e, full, value, put_error);
  full.close();
  e.run();
  EXPECT_FALSE(get_error.empty());
  EXPECT_FALSE(put_error.empty());
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(e.live, 0U);
}

TEST(queue, close_now_hands_back_what_was_queued_and_counts_it_as_done) {
  queue<int> q{4};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(int{i}));
  EXPECT_EQ(q.unfinished(), 3U);
  EXPECT_EQ(q.close_now(), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(q.unfinished(), 0U);
  EXPECT_TRUE(q.close_now().empty());
}

TEST(queue, a_cancelled_get_took_nothing_and_a_cancelled_put_kept_its_value) {
  executor e;
  queue<int> empty{1};
  std::vector<int> got;
  std::string error;
  coroutine waiting = get_one(e, empty, got, error);
  waiting.context->cancel();
  waiting.context->cancel();
  e.run();
  EXPECT_EQ(error, "cancelled");
  EXPECT_TRUE(empty.try_put(7));
  EXPECT_EQ(empty.try_get(), 7);

  queue<std::unique_ptr<int>> full{1};
  EXPECT_TRUE(full.try_put(std::make_unique<int>(1)));
  auto value = std::make_unique<int>(2);
  error.clear();
  put_one(e, full, value, error).context->cancel();
  e.run();
  EXPECT_EQ(error, "cancelled");
  ASSERT_NE(value, nullptr);
  EXPECT_TRUE(full.try_get().has_value());
  EXPECT_TRUE(full.try_put(std::move(value)));
}

TEST(queue, the_getter_behind_a_cancelled_one_is_served) {
  executor e;
  queue<int> q{1};
  std::vector<int> first;
  std::vector<int> second;
  std::string error;
  coroutine front = get_one(e, q, first, error);
  std::string none;
  get_one(e, q, second, none);
  front.context->cancel();
  EXPECT_TRUE(q.try_put(5));
  e.run();
  EXPECT_EQ(error, "cancelled");
  EXPECT_EQ(second, std::vector<int>{5});
}

TEST(queue, an_item_that_was_given_is_delivered_though_the_cancellation_came_before_the_resumption) {
  executor e;
  queue<int> q{1};
  std::vector<int> got;
  std::string error;
  coroutine waiting = get_one(e, q, got, error);
  EXPECT_TRUE(q.try_put(5));
  waiting.context->cancel();
  e.run();
  EXPECT_EQ(got, std::vector<int>{5});
  EXPECT_TRUE(error.empty());
}

TEST(queue, join_returns_when_everything_put_is_done) {
  executor e;
  queue<int> q{4};
  bool joined = false;
  join(e, q, joined);
  EXPECT_TRUE(joined);
  joined = false;
  EXPECT_TRUE(q.try_put(1));
  EXPECT_TRUE(q.try_put(2));
  bool also = false;
  join(e, q, joined);
  join(e, q, also);
  EXPECT_TRUE(q.try_get());
  EXPECT_TRUE(q.try_get());
  q.task_done();
  e.run();
  EXPECT_FALSE(joined);
  q.task_done();
  e.run();
  EXPECT_TRUE(joined);
  EXPECT_TRUE(also);
}

TEST(queue, a_zero_that_is_gone_again_still_ends_the_join_that_waited_for_it) {
  executor e;
  queue<int> q{4};
  EXPECT_TRUE(q.try_put(1));
  bool joined = false;
  join(e, q, joined);
  q.task_done();
  EXPECT_TRUE(q.try_put(2));
  e.run();
  EXPECT_TRUE(joined);
}

TEST(queue, task_done_more_often_than_put_is_refused_and_changes_nothing) {
  queue<int> q{4, {.name = "work"}};
  EXPECT_TRUE(q.try_put(1));
  EXPECT_THROW(q.task_done(2), std::logic_error);
  EXPECT_EQ(q.unfinished(), 1U);
  q.task_done();
  try {
    q.task_done();
    FAIL() << "task_done was accepted";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("'work'"), std::string::npos) << error.what();
  }
}

coroutine lease_one(executor&, queue<int>& q, int& got) {
  auto job = co_await q.lease();
  got = **job;
}

TEST(queue, a_lease_is_done_when_it_goes) {
  executor e;
  queue<int> q{4};
  EXPECT_TRUE(q.try_put(9));
  int got = 0;
  lease_one(e, q, got);
  EXPECT_EQ(got, 9);
  EXPECT_EQ(q.unfinished(), 0U);
}

coroutine await_twice(executor&, queue<int>& q, bool& refused) {
  auto operation = q.get();
  co_await std::move(operation);
  try {
    co_await std::move(operation);
  } catch (const std::logic_error&) {
    refused = true;
  }
}

TEST(queue, an_operation_is_awaited_once) {
  executor e;
  queue<int> q{4};
  EXPECT_TRUE(q.try_put(1));
  bool refused = false;
  await_twice(e, q, refused);
  EXPECT_TRUE(refused);
}

TEST(queue, blocking_calls_time_out_and_a_zero_duration_tries_once) {
  queue<int> q{1};
  EXPECT_THROW(q.blocking_get(0ms), timed_out);
  EXPECT_THROW(q.blocking_get(-1s), timed_out);
  EXPECT_THROW(q.blocking_get(2ms), timed_out);
  q.blocking_put(3);
  EXPECT_THROW(q.blocking_put(4, 0ms), timed_out);
  EXPECT_THROW(q.blocking_join(1ms), timed_out);
  EXPECT_EQ(q.blocking_get(0ms), 3);
  q.task_done();
  q.blocking_join();
}

TEST(queue, blocking_calls_on_a_worker_are_refused_with_the_replacement) {
  queue<int> q{1};
  const auto refused_for = [](auto call, const char* replacement) {
    try {
      call();
      ADD_FAILURE() << "the call was accepted on a worker, where there is " << replacement;
    } catch (const std::logic_error& error) {
      EXPECT_NE(std::string(error.what()).find(replacement), std::string::npos) << error.what();
    }
  };
  impl::worker_thread_name = "test";
  refused_for([&] { (void)q.blocking_get(); }, "co_await q.get()");
  refused_for([&] { q.blocking_put(1); }, "co_await q.put(x)");  // though there is room
  impl::worker_thread_name = nullptr;
  EXPECT_TRUE(q.empty());
}

TEST(queue, threads_and_tasks_share_it) {
  queue<int> q{2};
  constexpr int count = 10000;
  std::thread putter([&] {
    for (int i = 0; i < count; ++i) q.blocking_put(int{i});
    q.close();
  });
  int next = 0;
  while (auto item = q.blocking_next()) EXPECT_EQ(*item, next++);
  EXPECT_EQ(next, count);
  putter.join();
}

void destroy_with_a_getter() {
  executor e;
  std::vector<int> got;
  std::string error;
  queue<int> q{1, {.name = "jobs"}};
  get_one(e, q, got, error);
}

TEST(queue_death, destroying_a_queue_with_waiters_prints_what_waits_and_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_with_a_getter(), "queue 'jobs' is destroyed while somebody waits on it .1 get");
}

struct counted {
  explicit counted(int& alive) noexcept : alive_(&alive) { ++*alive_; }
  counted(counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
  counted& operator=(counted&&) = delete;
  ~counted() { --*alive_; }
  int* alive_;
};

TEST(queue, destroys_what_is_left_in_it) {
  int alive = 0;
  {
    queue<counted> q{3};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(counted{alive}));
    EXPECT_TRUE(q.try_get().has_value());
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

// When the first one is moved to the getter that it is for, many more are put: all of them meet a runner that is at work.
struct bringing {
  explicit bringing(queue<bringing>* to = nullptr, int others = 0) noexcept : to_(to), others_(others) {}
  bringing(bringing&& other) noexcept : to_(other.to_), others_(other.others_), moves_(other.moves_ + 1) {
    if (moves_ != 2) return;  // the first was into the queue
    for (int i = 0; i < others_; ++i) EXPECT_TRUE(to_->try_put(bringing()));
  }

 private:
  queue<bringing>* to_;
  int others_;
  int moves_ = 0;
};

coroutine get_brought(executor&, queue<bringing>& q, int& got) {
  co_await q.get();
  ++got;
}

TEST(queue, serves_a_crowd_and_keeps_what_is_left_over) {
  constexpr int crowd = 3 * static_cast<int>(impl::waiter_hub::max_ready);
  executor e;
  queue<bringing> q{4096};
  int got = 0;
  for (int i = 0; i < crowd; ++i) get_brought(e, q, got);
  EXPECT_TRUE(q.try_put(bringing(&q, crowd + 9)));
  EXPECT_EQ(q.size(), 10u);
  e.run();
  EXPECT_EQ(got, crowd);
  EXPECT_TRUE(q.try_get()) << "nobody waits any more";
}

}  // namespace
}  // namespace sluice
