// tests: queues/queue_core.hpp queues/queue_waits.hpp queues/queue_waiters.hpp
// Queues without a bound, with a capacity that changes and without any room, and operations on several items.
#include <sluice/queues/queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

coroutine put_one(executor&, queue<int>& q, int value, std::string& outcome) {
  try {
    co_await q.put(int{value});
    outcome = "put";
  } catch (const cancelled&) {
    outcome = "cancelled";
  } catch (const queue_closed&) {
    outcome = "closed";
  }
}
coroutine get_all(executor&, queue<int>& q, std::vector<int>& got) {
  while (auto item = co_await q.next()) got.push_back(*item);
}
coroutine put_many(executor&, queue<int>& q, std::vector<int>& items, std::string& outcome) {
  try {
    outcome = std::to_string(co_await q.put_many(items));
  } catch (const cancelled&) {
    outcome = "cancelled";
  } catch (const queue_closed&) {
    outcome = "closed";
  }
}
coroutine get_many(executor&, queue<int>& q, std::vector<int>& out, std::string& outcome) {
  try {
    outcome = std::to_string(co_await q.get_many(out));
  } catch (const cancelled&) {
    outcome = "cancelled";
  }
}
coroutine join(executor&, queue<int>& q, bool& joined) {
  co_await q.join();
  joined = true;
}

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// ------------------------------------------------------------------------------------------ unbounded

TEST(unbounded_queue, takes_everything_in_order_and_keeps_its_laps) {
  queue<std::unique_ptr<int>> q{unbounded};
  EXPECT_EQ(q.capacity(), SIZE_MAX);
  int put = 0;
  int got = 0;
  for (int burst : {10, 100, 1000, 5000}) {
    for (int i = 0; i < burst; ++i) ASSERT_TRUE(q.try_put(std::make_unique<int>(put++)));
    EXPECT_FALSE(q.full());
    for (int i = 0; i < burst / 2; ++i) ASSERT_EQ(**q.try_get(), got++);
  }
  EXPECT_EQ(q.size(), static_cast<std::size_t>(put - got));
  while (got < put) ASSERT_EQ(**q.try_get(), got++);
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.unfinished(), static_cast<std::size_t>(put));
}

TEST(unbounded_queue, destroys_what_is_left_in_it) {
  const auto counted = std::make_shared<int>(0);
  {
    queue<std::shared_ptr<int>> q{unbounded};
    for (int i = 0; i < 1000; ++i) q.blocking_put(counted);
    EXPECT_EQ(counted.use_count(), 1001);
    (void)q.try_get();
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(unbounded_queue, a_put_never_waits) {
  executor e;
  queue<int> q{unbounded};
  std::string outcome;
  for (int i = 0; i < 1000; ++i) {
    outcome.clear();
    put_one(e, q, i, outcome);
    ASSERT_EQ(outcome, "put");
  }
  q.close();
  put_one(e, q, 1, outcome);
  EXPECT_EQ(outcome, "closed");
  std::vector<int> got;
  get_all(e, q, got);
  EXPECT_EQ(got, numbers(1000));
}

// ------------------------------------------------------------------------------------------ a capacity that changes

TEST(queue_capacity, grows_and_lets_waiting_putters_in_in_order) {
  executor e;
  queue<int> q{1};
  std::string outcomes[5];
  for (int i = 0; i < 5; ++i) put_one(e, q, i, outcomes[i]);
  q.set_capacity(3);
  EXPECT_EQ(q.size(), 3U);
  EXPECT_EQ(q.capacity(), 3U);
  e.run();
  EXPECT_EQ(outcomes[2], "put");
  EXPECT_EQ(outcomes[3], "");
  q.set_capacity(100);
  e.run();
  EXPECT_EQ(outcomes[4], "put");
  EXPECT_EQ(q.size(), 5U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(q.try_get(), i);
  for (int lap = 0; lap < 3; ++lap) {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(q.try_put(int{i}));
    EXPECT_FALSE(q.try_put(100));
    for (int i = 0; i < 100; ++i) ASSERT_EQ(q.try_get(), i);
  }
}

TEST(queue_capacity, shrinks_and_drops_nothing) {
  executor e;
  queue<int> q{4};
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(q.try_put(int{i}));
  q.set_capacity(2);
  EXPECT_EQ(q.size(), 4U);
  EXPECT_TRUE(q.full());
  std::string outcome;
  put_one(e, q, 4, outcome);
  EXPECT_EQ(q.try_get(), 0);
  EXPECT_EQ(q.try_get(), 1);
  e.run();
  EXPECT_EQ(outcome, "") << "there are still two";
  EXPECT_EQ(q.try_get(), 2);
  e.run();
  EXPECT_EQ(outcome, "put");
  EXPECT_EQ(q.size(), 2U);
  q.set_capacity(4);
  EXPECT_TRUE(q.try_put(5));
  EXPECT_TRUE(q.try_put(6));
  EXPECT_FALSE(q.try_put(7));
  for (int i = 3; i <= 6; ++i) EXPECT_EQ(q.try_get(), i);
}

TEST(queue_capacity, is_refused_where_it_makes_no_sense) {
  queue<int> q{4};
  try {
    q.set_capacity(0);
    FAIL() << "a queue got a capacity of nothing";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "sluice: the capacity of queue 'queue' must be between 1 and 2^40, not 0: give at least 1");
  }
  EXPECT_THROW(q.set_capacity(SIZE_MAX), std::invalid_argument);
  EXPECT_EQ(q.capacity(), 4U);
  queue<int> endless{unbounded, {.name = "endless"}};
  try {
    endless.set_capacity(1);
    FAIL() << "an unbounded queue got a capacity";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("'endless', which is unbounded"), std::string::npos) << error.what();
  }
  queue<int> meeting{rendezvous};
  EXPECT_THROW(meeting.set_capacity(1), std::logic_error);
}

// ------------------------------------------------------------------------------------------ a rendezvous

TEST(rendezvous_queue, each_put_meets_a_get_in_order) {
  executor e;
  queue<int> q{rendezvous};
  EXPECT_EQ(q.capacity(), 0U);
  EXPECT_FALSE(q.try_put(1)) << "nobody waits";
  EXPECT_FALSE(q.try_get());
  std::string outcomes[3];
  for (int i = 0; i < 3; ++i) put_one(e, q, i, outcomes[i]);
  EXPECT_FALSE(q.try_put(9)) << "putters wait";
  EXPECT_EQ(q.try_get(), 0);
  e.run();
  EXPECT_EQ(outcomes[0], "put");
  EXPECT_EQ(outcomes[1], "");
  std::vector<int> got;
  get_all(e, q, got);
  e.run();
  EXPECT_EQ(got, (std::vector<int>{1, 2}));
  EXPECT_EQ(outcomes[2], "put");
  EXPECT_TRUE(q.try_put(3)) << "a getter waits";
  e.run();
  EXPECT_EQ(got.back(), 3);
  EXPECT_EQ(q.size(), 0U);
  EXPECT_EQ(q.unfinished(), 4U);
  bool joined = false;
  join(e, q, joined);
  q.task_done(4);
  q.close();
  e.run();
  EXPECT_TRUE(joined);
  EXPECT_EQ(e.live, 0U);
}

TEST(rendezvous_queue, a_cancelled_side_is_passed_over) {
  executor e;
  queue<int> q{rendezvous};
  std::string outcomes[2];
  coroutine first = put_one(e, q, 1, outcomes[0]);
  put_one(e, q, 2, outcomes[1]);
  first.context->cancel();
  EXPECT_EQ(q.try_get(), 2);
  e.run();
  EXPECT_EQ(outcomes[0], "cancelled");
  EXPECT_EQ(outcomes[1], "put");
}

TEST(rendezvous_queue, close_ends_both_sides) {
  executor e;
  queue<int> puts{rendezvous};
  queue<int> gets{rendezvous};
  std::string outcome;
  std::vector<int> got;
  put_one(e, puts, 1, outcome);
  get_all(e, gets, got);
  EXPECT_TRUE(puts.close_now().empty());
  gets.close();
  e.run();
  EXPECT_EQ(outcome, "closed");
  EXPECT_THROW((void)puts.try_put(1), queue_closed);
  EXPECT_EQ(e.live, 0U);
}

TEST(rendezvous_queue, threads_meet_too) {
  queue<int> q{rendezvous};
  EXPECT_THROW(q.blocking_put(1, 1ms), timed_out);
  EXPECT_THROW(q.blocking_get(0ms), timed_out);
  std::thread putter([&] {
    for (int i = 0; i < 1000; ++i) q.blocking_put(int{i});
    q.close();
  });
  int next = 0;
  while (auto item = q.blocking_next()) EXPECT_EQ(*item, next++);
  EXPECT_EQ(next, 1000);
  putter.join();
}

// ------------------------------------------------------------------------------------------ several items

TEST(queue_of_several, moves_as_many_as_there_is_room_for_and_then_waits) {
  executor e;
  queue<int> q{4};
  std::vector<int> items = numbers(10);
  std::string outcome;
  put_many(e, q, items, outcome);
  EXPECT_EQ(q.size(), 4U);
  EXPECT_FALSE(q.try_put(99)) << "a put of several waits";
  std::vector<int> got;
  get_all(e, q, got);
  e.run();
  EXPECT_EQ(outcome, "10");
  EXPECT_EQ(got, numbers(10));
  q.close();
  e.run();
}

TEST(queue_of_several, gets_what_is_there_and_waits_for_one_at_least) {
  executor e;
  queue<int> q{8};
  std::vector<int> out(5, -1);
  std::string outcome;
  std::vector<int> items = numbers(3);
  EXPECT_EQ(q.blocking_put_many(items), 3U);
  get_many(e, q, out, outcome);
  EXPECT_EQ(outcome, "3");
  EXPECT_EQ(out, (std::vector<int>{0, 1, 2, -1, -1}));
  outcome.clear();
  get_many(e, q, out, outcome);
  EXPECT_EQ(outcome, "");
  EXPECT_TRUE(q.try_put(7));
  e.run();
  EXPECT_EQ(outcome, "1");
  EXPECT_EQ(out[0], 7);
  q.close();
  get_many(e, q, out, outcome);
  EXPECT_EQ(outcome, "0");
}

TEST(queue_of_several, says_how_many_got_in_before_it_was_cancelled_or_closed) {
  executor e;
  queue<int> q{2};
  std::vector<int> items = numbers(5);
  std::string outcome;
  coroutine waiting = put_many(e, q, items, outcome);
  EXPECT_EQ(q.try_get(), 0);
  waiting.context->cancel();
  e.run();
  EXPECT_EQ(outcome, "3");
  EXPECT_EQ(q.try_get(), 1);
  EXPECT_TRUE(q.try_put(8)) << "nobody waits any more";
  outcome.clear();
  coroutine none = put_many(e, q, items, outcome);
  none.context->cancel();
  e.run();
  EXPECT_EQ(outcome, "cancelled") << "nothing of it got in";
  put_many(e, q, items, outcome);
  EXPECT_EQ(q.try_get(), 2);
  q.close();
  e.run();
  EXPECT_EQ(outcome, "1");
  put_many(e, q, items, outcome);
  EXPECT_EQ(outcome, "closed");
}

TEST(queue_of_several, works_on_every_kind) {
  queue<int> endless{unbounded};
  std::vector<int> items = numbers(1000);
  EXPECT_EQ(endless.blocking_put_many(items), 1000U);
  std::vector<int> out(2000);
  EXPECT_EQ(endless.blocking_get_many(out), 1000U);
  out.resize(1000);
  EXPECT_EQ(out, numbers(1000));

  executor e;
  queue<int> meeting{rendezvous};
  std::vector<int> three = numbers(3);
  std::string put_outcome;
  std::string get_outcome;
  put_many(e, meeting, three, put_outcome);
  out.assign(2, -1);
  get_many(e, meeting, out, get_outcome);
  EXPECT_EQ(get_outcome, "2");
  EXPECT_EQ(out, numbers(2));
  EXPECT_EQ(meeting.try_get(), 2);
  e.run();
  EXPECT_EQ(put_outcome, "3");
}

TEST(queue_of_several, nothing_is_nothing_and_no_room_to_get_into_is_an_error) {
  queue<int> q{2};
  EXPECT_EQ(q.blocking_put_many({}), 0U);
  EXPECT_THROW((void)q.get_many({}), std::invalid_argument);
  EXPECT_THROW((void)q.blocking_get_many({}), std::invalid_argument);
  q.close();
  EXPECT_THROW((void)q.blocking_put_many({}), queue_closed);
}

TEST(queue_of_several, a_wait_without_patience_tells_what_got_in) {
  queue<int> q{2};
  std::vector<int> items = numbers(5);
  EXPECT_EQ(q.blocking_put_many(items, 0ms), 2U);
  EXPECT_THROW((void)q.blocking_put_many(items, 0ms), timed_out);
  EXPECT_THROW((void)q.blocking_put_many(items, 1ms), timed_out);
  std::vector<int> out(5);
  EXPECT_EQ(q.blocking_get_many(out, 0ms), 2U);
  EXPECT_THROW((void)q.blocking_get_many(out, 1ms), timed_out);
}

// An item that goes back where it came from when it is destroyed.
struct connection {
  int number;
};
struct give_back {
  queue<std::unique_ptr<connection, give_back>>* home = nullptr;
  void operator()(connection* c) const;
};
using pooled = std::unique_ptr<connection, give_back>;
void give_back::operator()(connection* c) const {
  pooled back(c, give_back{home});
  if (home == nullptr || home->closed() || !home->try_put(std::move(back))) delete back.release();
}

TEST(queue_of_several, what_lies_in_the_span_may_go_back_into_the_queue_when_it_is_destroyed) {
  queue<pooled> pool{2};
  const auto make = [&](int number) { return pooled(new connection{number}, give_back{&pool}); };
  std::vector<pooled> out(1);
  pool.blocking_put(make(0));
  pool.blocking_put(make(1));
  EXPECT_EQ(pool.blocking_get_many(out), 1U);
  pool.blocking_put(make(2));
  EXPECT_EQ(pool.blocking_get_many(out), 1U);  // it is full: 0 goes back while 1 comes
  EXPECT_EQ(out[0]->number, 1);
  EXPECT_EQ(pool.size(), 2U);
  pool.close();
}

TEST(queue_of_several, what_lies_in_it_finds_it_closed_when_it_goes) {
  queue<pooled> pool{2};
  for (int i = 0; i < 2; ++i) pool.blocking_put(pooled(new connection{i}, give_back{&pool}));
}  // each would go back into what is being destroyed otherwise, and be lost there

TEST(queue_of_several, a_waiting_get_destroys_what_lies_in_its_span_itself) {
  queue<pooled> pool{rendezvous};
  std::vector<pooled> out;
  out.push_back(pooled(new connection{0}, give_back{&pool}));
  std::thread putter([&pool] { pool.blocking_put(pooled(new connection{1}, give_back{})); });
  EXPECT_EQ(pool.blocking_get_many(out), 1U);  // nobody waits for 0, which goes away
  EXPECT_EQ(out[0]->number, 1);
  putter.join();
  pool.close();
}

struct only_moves {
  explicit only_moves(int v) noexcept : value(std::make_unique<int>(v)) {}
  only_moves(only_moves&&) noexcept = default;
  only_moves& operator=(only_moves&&) = delete;
  std::unique_ptr<int> value;
};

TEST(queue_of_several, items_need_no_assignment) {
  queue<only_moves> q{2};
  only_moves items[] = {only_moves(1), only_moves(2)};
  EXPECT_EQ(q.blocking_put_many(items), 2U);
  only_moves out[] = {only_moves(8), only_moves(9), only_moves(10)};
  EXPECT_EQ(q.blocking_get_many(out), 2U);
  EXPECT_EQ(*out[1].value, 2);
  EXPECT_EQ(*out[2].value, 10);
}

}  // namespace
}  // namespace sluice
