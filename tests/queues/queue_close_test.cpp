// tests: queues/queue_core.hpp queues/queue_face.hpp queues/queue_base.cpp queues/errors.hpp
// What a close says and tells; and what becomes of items that stay until the end.
#include <sluice/queues/lifo_queue.hpp>
#include <sluice/queues/queue.hpp>
#include <sluice/queues/spsc_queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <exception>
#include <optional>
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
  } catch (const queue_closed& error) {
    outcome = error.what();
  }
}
coroutine get_one(executor&, queue<std::string>& q, std::string& outcome) {
  try {
    outcome = co_await q.get();
  } catch (const queue_closed& error) {
    outcome = error.what();
  }
}
coroutine put_many(executor&, queue<std::string>& q, std::vector<std::string>& values, std::string& outcome) {
  outcome = std::to_string(co_await q.put_many(values));
}
coroutine reserve(executor&, queue<std::string>& q, std::string& outcome) {
  try {
    const auto slot = co_await q.reserve();
    outcome = "reserved";
  } catch (const queue_closed& error) {
    outcome = error.what();
  }
}

TEST(queue_close, says_why) {
  executor e;
  queue<std::string> q{1, {.name = "jobs"}};
  std::string got;
  EXPECT_EQ(q.cause(), nullptr);
  get_one(e, q, got);
  e.run();
  q.close(std::make_exception_ptr(std::runtime_error("the disk is full")));
  q.close(std::make_exception_ptr(std::runtime_error("never said")));
  e.run();
  EXPECT_EQ(got, "sluice: get on queue 'jobs', which is closed: the disk is full");
  try {
    (void)q.try_put("x");
    FAIL();
  } catch (const queue_closed& error) {
    EXPECT_EQ(error.cause(), q.cause());
    EXPECT_THROW(std::rethrow_exception(error.cause()), std::runtime_error);
  }
}

TEST(queue_close, takes_the_first_reason_that_is_one) {
  queue<std::string> q{1};
  q.close(std::exception_ptr());
  EXPECT_EQ(q.cause(), nullptr);
  q.close(std::make_exception_ptr(std::runtime_error("enough")));
  EXPECT_NE(q.cause(), nullptr);
}

TEST(queue_close, says_nothing_of_what_is_no_exception) {
  queue<int> q{1, {.name = "jobs"}};
  q.close(std::make_exception_ptr(7));
  try {
    (void)q.blocking_get();
    FAIL();
  } catch (const queue_closed& error) {
    EXPECT_STREQ(error.what(), "sluice: get on queue 'jobs', which is closed");
    EXPECT_THROW(std::rethrow_exception(error.cause()), int);
  }
}

TEST(queue_close, reports_what_became_of_the_rest) {
  executor e;
  queue<std::string> q{2};
  std::string outcome;
  std::string value = "three";
  EXPECT_TRUE(q.try_put("zero"));
  EXPECT_EQ(q.try_get(), "zero");
  EXPECT_TRUE(q.try_put("one"));
  EXPECT_TRUE(q.try_put("two"));
  put_one(e, q, value, outcome);
  const close_report<std::string> report = q.close_and_report(std::make_exception_ptr(std::runtime_error("enough")));
  e.run();
  EXPECT_EQ(report.drained, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(report.refused, 1U);
  EXPECT_EQ(report.in_flight, 1U);
  EXPECT_EQ(outcome, "sluice: put on queue 'queue', which is closed: enough");
  EXPECT_EQ(value, "three");
}

TEST(queue_close, reports_puts_that_failed_and_nothing_else) {
  executor e;
  queue<std::string> q{2};
  std::vector<std::string> values{"one", "two", "three"};
  std::string many;
  std::string slot;
  put_many(e, q, values, many);
  reserve(e, q, slot);
  EXPECT_EQ(q.close_and_report().refused, 0U) << "some of it was put; and a slot is no put";
  e.run();
  EXPECT_EQ(many, "2");
  EXPECT_EQ(slot, "sluice: reserve on queue 'queue', which is closed");
}

TEST(queue_close, hands_back_what_is_queued_though_a_get_waits_for_a_slot) {
  executor e;
  queue<std::string> q{2};
  auto slot = q.try_reserve();
  std::string got;
  get_one(e, q, got);
  EXPECT_TRUE(q.close_now().empty());
  EXPECT_EQ(got, "") << "the slot is still there";
  slot->put("last");
  e.run();
  EXPECT_EQ(got, "last");
}

TEST(queue_close, hands_back_what_is_queued_though_it_was_said_to_be_done) {
  queue<int> q{4};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(i));
  q.task_done(2);
  EXPECT_EQ(q.close_now(), (std::vector{0, 1, 2}));
  EXPECT_EQ(q.unfinished(), 0U);
}

TEST(queue_join, refuses_a_count_that_is_far_too_big) {
  queue<int> q{4};
  EXPECT_TRUE(q.try_put(1));
  q.task_done();
  EXPECT_TRUE(q.try_put(2));
  for (const std::size_t count : {SIZE_MAX, SIZE_MAX / 2 + 2, std::size_t{2}}) {
    EXPECT_THROW(q.task_done(count), std::logic_error) << count;
    EXPECT_EQ(q.unfinished(), 1U);
  }
}

// ------------------------------------------------------------------------------------------ the end

// An item whose destructor looks at the queue that holds it.
template <template <class> class Queue>
struct curious {
  curious(Queue<curious>& home, int& gone) noexcept : home_(&home), gone_(&gone) {}
  curious(curious&& other) noexcept : home_(std::exchange(other.home_, nullptr)), gone_(other.gone_) {}
  curious& operator=(curious&&) = delete;
  ~curious() {
    if (home_ == nullptr) return;
    ++*gone_;
    EXPECT_TRUE(home_->closed());
    (void)home_->try_get();
  }

 private:
  Queue<curious>* home_;
  int* gone_;
};

template <template <class> class Queue>
int gone_with_three() {
  int gone = 0;
  {
    Queue<curious<Queue>> q{4};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_put(curious<Queue>(q, gone)));
  }
  return gone;
}

template <class T>
using fifo = queue<T>;
template <class T>
using lifo = lifo_queue<T>;
template <class T>
using spsc = spsc_queue<T>;

TEST(queue_end, destroys_each_item_once_though_they_get_each_other) {
  EXPECT_EQ(gone_with_three<fifo>(), 3);
  EXPECT_EQ(gone_with_three<lifo>(), 3);
  EXPECT_EQ(gone_with_three<spsc>(), 3);
}

}  // namespace
}  // namespace sluice
