// tests: queues/overflow.hpp queues/queue_core.hpp
// What a full queue does with a put by its policy.
#include <sluice/queues/lifo_queue.hpp>
#include <sluice/queues/queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <exception>
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

coroutine put_one(executor&, queue<std::string>& q, std::string& value, std::string& outcome) {
  try {
    co_await q.put(std::move(value));
    outcome = "put";
  } catch (const queue_full& error) {
    outcome = error.what();
  } catch (const queue_closed& error) {
    outcome = error.what();
  }
}
template <class Queue>
std::vector<int> content(Queue& q) {
  std::vector<int> all;
  while (auto item = q.try_get()) all.push_back(*item);
  return all;
}

// A queue of 3 that is put 0 to 4 into.
struct filled {
  explicit filled(overflow_policy policy)
      : q(3, overflow<int>{policy, [this](int&& item) { dropped.push_back(item); }}) {
    for (int i = 0; i < 5; ++i) q.blocking_put(int{i});
  }
  std::vector<int> dropped;
  queue<int> q;
};

TEST(overflow, drops_the_oldest) {
  filled f{overflow_policy::drop_oldest};
  EXPECT_EQ(f.dropped, (std::vector<int>{0, 1}));
  EXPECT_EQ(f.q.unfinished(), 3U) << "what was dropped is done";
  EXPECT_TRUE(f.q.try_put(5));
  EXPECT_EQ(f.dropped, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(content(f.q), (std::vector<int>{3, 4, 5}));
}

TEST(overflow, drops_the_newest) {
  filled f{overflow_policy::drop_newest};
  EXPECT_EQ(f.dropped, (std::vector<int>{3, 4}));
  EXPECT_EQ(f.q.unfinished(), 3U);
  EXPECT_FALSE(f.q.try_put(5));
  EXPECT_EQ(f.dropped.size(), 2U) << "who tries keeps the value";
  EXPECT_EQ(content(f.q), (std::vector<int>{0, 1, 2}));
}

TEST(overflow, keeps_the_latest) {
  filled f{overflow_policy::keep_latest};
  EXPECT_EQ(f.dropped, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(content(f.q), (std::vector<int>{3, 4}));
}

TEST(overflow, rejects) {
  executor e;
  queue<std::string> q{1, {overflow_policy::reject}, {.name = "jobs"}};
  std::string value = "one";
  std::string outcome;
  put_one(e, q, value, outcome);
  value = "two";
  put_one(e, q, value, outcome);
  EXPECT_EQ(outcome, "sluice: put on queue 'jobs', which is full");
  EXPECT_EQ(value, "two") << "a put that failed took the value";
  EXPECT_FALSE(q.try_put(std::move(value)));
  EXPECT_THROW(q.blocking_put(std::move(value)), queue_full);
  EXPECT_EQ(value, "two");
}

TEST(overflow, applies_to_several_at_once) {
  std::array<int, 6> items{0, 1, 2, 3, 4, 5};
  std::vector<int> dropped;
  queue<int> q{2, {overflow_policy::drop_oldest, [&](int&& item) { dropped.push_back(item); }}};
  EXPECT_EQ(q.blocking_put_many(items), 6U);
  EXPECT_EQ(dropped, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(content(q), (std::vector<int>{4, 5}));
  queue<int> refusing{2, {overflow_policy::reject}};
  EXPECT_EQ(refusing.blocking_put_many(items), 2U);
  EXPECT_THROW((void)refusing.blocking_put_many(items), queue_full);
}

TEST(overflow, follows_the_capacity) {
  filled f{overflow_policy::drop_oldest};
  f.q.set_capacity(1);
  f.q.blocking_put(5);
  EXPECT_EQ(f.dropped, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(content(f.q), std::vector<int>{5});
}

TEST(overflow, may_use_the_queue_when_it_drops) {
  queue<int>* where = nullptr;
  std::vector<int> dropped;
  queue<int> q{1, {overflow_policy::drop_oldest, [&](int&& item) {
                     dropped.push_back(item);
                     if (item < 3) (void)where->try_put(item + 10);
                   }}};
  where = &q;
  q.blocking_put(1);
  q.blocking_put(2);
  EXPECT_EQ(dropped, (std::vector<int>{1, 11}));
  EXPECT_EQ(content(q), std::vector<int>{2});
}

TEST(overflow, frees_what_is_dropped_without_a_hook) {
  auto item = std::make_shared<int>(1);
  queue<std::shared_ptr<int>> q{1, {overflow_policy::drop_newest}};
  for (int i = 0; i < 3; ++i) q.blocking_put(item);
  EXPECT_EQ(item.use_count(), 2);
}

TEST(overflow, of_a_stack_cannot_drop_the_oldest) {
  EXPECT_THROW((lifo_queue<int>{1, {overflow_policy::drop_oldest}}), std::invalid_argument);
  std::vector<int> dropped;
  lifo_queue<int> q{2, {overflow_policy::keep_latest, [&](int&& item) { dropped.push_back(item); }}};
  for (int i = 0; i < 3; ++i) q.blocking_put(int{i});
  EXPECT_EQ(dropped, (std::vector<int>{1, 0}));
  EXPECT_EQ(content(q), std::vector<int>{2});
}

TEST(overflow, refuses_slots) {
  queue<int> q{1, {overflow_policy::reject}};
  EXPECT_THROW((void)q.reserve(), std::logic_error);
  EXPECT_THROW((void)q.try_reserve(), std::logic_error);
}

TEST(overflow, loses_nothing_untold) {
  constexpr int each = 2000;
  impl::atomic<int> dropped{0};
  queue<int> q{4, {overflow_policy::drop_oldest, [&](int&&) { dropped.fetch_add(1, impl::relaxed); }}};
  std::vector<std::thread> threads;
  int got = 0;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) q.blocking_put(int{i});
    });
  }
  std::thread getter([&] {
    while (auto item = q.blocking_next()) {
      ++got;
      q.task_done();
    }
  });
  for (auto& t : threads) t.join();
  q.close();
  getter.join();
  EXPECT_EQ(got + dropped.load(impl::relaxed), 3 * each);
  EXPECT_EQ(q.unfinished(), 0U);
}

TEST(overflow, drops_nothing_when_the_queue_is_closed) {
  for (const auto policy : {overflow_policy::reject, overflow_policy::drop_oldest, overflow_policy::drop_newest,
                            overflow_policy::keep_latest}) {
    queue<int> q{1, overflow<int>{policy, [](int&&) { ADD_FAILURE() << "an item was dropped"; }}};
    q.blocking_put(1);
    q.close();
    EXPECT_THROW(q.blocking_put(2), queue_closed);
    EXPECT_THROW((void)q.try_put(2), queue_closed);
    EXPECT_EQ(content(q), std::vector{1});
  }
}

}  // namespace
}  // namespace sluice
