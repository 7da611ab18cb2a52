// tests: queues/lifo_queue.hpp queues/stack.hpp queues/queue_face.hpp queues/queue_base.hpp queues/queue_base.cpp queues/item_store.hpp queues/queue_options.hpp
#include <sluice/queues/lifo_queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

coroutine put_one(executor&, lifo_queue<int>& q, int value, std::string& outcome) {
  try {
    co_await q.put(int{value});
    outcome = "put";
  } catch (const cancelled&) {
    outcome = "cancelled";
  } catch (const queue_closed&) {
    outcome = "closed";
  }
}
coroutine get_all(executor&, lifo_queue<int>& q, std::vector<int>& got) {
  while (auto item = co_await q.next()) got.push_back(*item);
}
coroutine join(executor&, lifo_queue<int>& q, bool& joined) {
  co_await q.join();
  joined = true;
}

TEST(stack, takes_the_newest_first_through_chunks_of_every_size) {
  for (std::uint64_t first : {1U, 2U, 3U, 7U, 8U}) {
    impl::stack<int> s{first};
    for (std::uint64_t room = first; room < 200; room = 2 * room + 1) {
      ASSERT_TRUE(s.resize(room));
      int value = static_cast<int>(s.size());
      while (s.try_push(value) == impl::item_status::done) ++value;
      EXPECT_EQ(s.size(), room);
    }
    for (int expected = static_cast<int>(s.size()) - 1; expected >= 0; --expected) {
      int got = -1;
      ASSERT_EQ(s.try_pop([&](int&& item) { got = item; }), impl::item_status::done);
      ASSERT_EQ(got, expected);
    }
    EXPECT_EQ(s.try_pop([](int&&) {}), impl::item_status::nothing);
  }
}

TEST(stack, grows_no_further_than_its_largest) {
  impl::stack<char> s{1};
  EXPECT_FALSE(s.resize(impl::stack<char>::largest + 1));
  EXPECT_EQ(s.capacity(), 1U);
}

TEST(lifo_queue, gives_the_newest_first) {
  lifo_queue<std::unique_ptr<int>> q{3};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(std::make_unique<int>(i)));
  auto refused = std::make_unique<int>(3);
  EXPECT_FALSE(q.try_put(std::move(refused)));
  EXPECT_TRUE(refused) << "a put that failed took the value";
  EXPECT_TRUE(q.full());
  for (int i = 2; i >= 0; --i) EXPECT_EQ(**q.try_get(), i);
  EXPECT_FALSE(q.try_get());
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.unfinished(), 3U);
}

TEST(lifo_queue, destroys_what_is_left_in_it) {
  auto item = std::make_shared<int>(1);
  {
    lifo_queue<std::shared_ptr<int>> q{unbounded};
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(q.try_put(item));
    EXPECT_EQ(item.use_count(), 101);
  }
  EXPECT_EQ(item.use_count(), 1);
}

TEST(lifo_queue, serves_waiters_first_in_first_out) {
  executor e;
  lifo_queue<int> q{1};
  EXPECT_TRUE(q.try_put(0));
  std::array<std::string, 3> outcome;
  for (int i = 0; i < 3; ++i) put_one(e, q, i + 1, outcome[static_cast<std::size_t>(i)]);
  e.run();
  EXPECT_FALSE(q.try_put(9)) << "a try never overtakes";
  EXPECT_EQ(q.try_get(), 0);
  e.run();
  EXPECT_EQ(outcome[0], "put");
  EXPECT_EQ(outcome[1], "");
  EXPECT_EQ(q.try_get(), 1);
  EXPECT_EQ(q.try_get(), 2);
  q.close();
  e.run();
  EXPECT_EQ(q.try_get(), 3);
  EXPECT_EQ(outcome[2], "put");
}

TEST(lifo_queue, close_lets_gets_drain_and_ends_them) {
  executor e;
  lifo_queue<int> q{4};
  std::vector<int> got;
  EXPECT_TRUE(q.try_put(1));
  EXPECT_TRUE(q.try_put(2));
  get_all(e, q, got);
  e.run();
  EXPECT_EQ(got, (std::vector<int>{2, 1}));
  EXPECT_TRUE(q.try_put(3));
  q.close();
  e.run();
  EXPECT_EQ(got, (std::vector<int>{2, 1, 3}));
  EXPECT_THROW((void)q.try_put(4), queue_closed);
}

TEST(lifo_queue, close_now_hands_back_what_is_left) {
  lifo_queue<int> q{4};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(int{i}));
  EXPECT_EQ(q.close_now(), (std::vector<int>{2, 1, 0}));
  EXPECT_EQ(q.unfinished(), 0U);
}

TEST(lifo_queue, batches_keep_their_order) {
  lifo_queue<int> q{8};
  std::array<int, 5> in{0, 1, 2, 3, 4};
  std::array<int, 8> out{};
  EXPECT_EQ(q.blocking_put_many(in), 5U);
  EXPECT_EQ(q.blocking_get_many(out), 5U);
  EXPECT_EQ(out, (std::array<int, 8>{4, 3, 2, 1, 0, 0, 0, 0}));
}

TEST(lifo_queue, joins) {
  executor e;
  lifo_queue<int> q{2};
  bool joined = false;
  EXPECT_TRUE(q.try_put(1));
  join(e, q, joined);
  e.run();
  EXPECT_FALSE(joined);
  EXPECT_EQ(q.try_get(), 1);
  q.task_done();
  e.run();
  EXPECT_TRUE(joined);
  EXPECT_THROW(q.task_done(), std::logic_error);
}

TEST(lifo_queue, changes_its_capacity) {
  executor e;
  lifo_queue<int> q{1};
  std::string outcome;
  EXPECT_TRUE(q.try_put(1));
  put_one(e, q, 2, outcome);
  e.run();
  q.set_capacity(100);
  e.run();
  EXPECT_EQ(outcome, "put");
  for (int i = 3; i <= 100; ++i) EXPECT_TRUE(q.try_put(int{i}));
  EXPECT_TRUE(q.full());
  q.set_capacity(50);
  for (int i = 100; i > 50; --i) {
    EXPECT_FALSE(q.try_put(0));
    EXPECT_EQ(q.try_get(), i);
  }
  EXPECT_FALSE(q.try_put(0));
  EXPECT_EQ(q.try_get(), 50);
  EXPECT_TRUE(q.try_put(50));
}

TEST(lifo_queue, says_what_it_cannot_hold) {
  try {
    lifo_queue<int> q{std::size_t{1} << 26};
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(
        error.what(),
        "sluice: the capacity of queue 'queue' must be between 1 and 2^26 - 1, not 67108864: was a negative number "
        "converted? For no bound give sluice::unbounded");
  }
  EXPECT_THROW(lifo_queue<int>{0}, std::invalid_argument);
}

TEST(lifo_queue, meets) {
  lifo_queue<int> q{rendezvous};
  EXPECT_FALSE(q.try_put(1));
  std::thread other([&] { q.blocking_put(7); });
  EXPECT_EQ(q.blocking_get(), 7);
  other.join();
  EXPECT_EQ(q.capacity(), 0U);
}

}  // namespace
}  // namespace sluice
