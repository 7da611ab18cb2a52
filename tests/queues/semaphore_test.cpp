#include <sluice/queues/semaphore.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

coroutine hold(executor&, semaphore& s, std::size_t n, std::optional<permit>& held, std::string& error) {
  try {
    held.emplace(co_await s.acquire(n));
  } catch (const cancelled&) {
    error = "cancelled";
  }
}

TEST(semaphore, gives_its_permits_and_takes_them_back) {
  semaphore s{2};
  EXPECT_EQ(s.available(), 2U);
  {
    auto one = s.try_acquire();
    ASSERT_TRUE(one);
    EXPECT_EQ(one->count(), 1U);
    auto two = s.try_acquire();
    ASSERT_TRUE(two);
    EXPECT_FALSE(s.try_acquire());
    EXPECT_TRUE(s.try_acquire(0));
    two->release();
    two->release();
    EXPECT_EQ(s.available(), 1U);
  }
  EXPECT_EQ(s.available(), 2U);
}

TEST(semaphore, serves_first_come_first_served_and_a_large_request_holds_up_small_ones) {
  executor e;
  semaphore s{3};
  std::string error;
  std::optional<permit> first;
  std::optional<permit> large;
  std::optional<permit> small;
  hold(e, s, 2, first, error);
  hold(e, s, 3, large, error);
  hold(e, s, 1, small, error);
  EXPECT_TRUE(first);
  EXPECT_FALSE(large);
  EXPECT_FALSE(small);
  EXPECT_EQ(s.waiters(), 2U);
  EXPECT_FALSE(s.try_acquire()) << "a try never overtakes those who wait";
  first.reset();
  e.run();
  EXPECT_TRUE(large);
  EXPECT_FALSE(small);
  large.reset();
  e.run();
  EXPECT_TRUE(small);
  EXPECT_EQ(s.waiters(), 0U);
}

TEST(semaphore, those_behind_a_cancelled_large_request_are_looked_at_again) {
  executor e;
  semaphore s{2};
  std::string error;
  std::optional<permit> held;
  std::optional<permit> large;
  std::optional<permit> small;
  hold(e, s, 1, held, error);
  coroutine waiting = hold(e, s, 2, large, error);
  std::string none;
  hold(e, s, 1, small, none);
  waiting.context->cancel();
  e.run();
  EXPECT_EQ(error, "cancelled");
  EXPECT_FALSE(large);
  EXPECT_TRUE(small);
}

TEST(semaphore, one_release_serves_as_many_as_it_can) {
  executor e;
  semaphore s{3};
  std::string error;
  std::optional<permit> all;
  std::vector<std::optional<permit>> held(3);
  hold(e, s, 3, all, error);
  for (auto& h : held) hold(e, s, 1, h, error);
  all.reset();
  e.run();
  for (auto& h : held) EXPECT_TRUE(h);
}

TEST(semaphore, says_what_is_wrong_with_a_request_that_can_never_be_met) {
  semaphore s{2};
  try {
    (void)s.acquire(3);
    FAIL() << "acquire(3) of 2 was accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("acquire(3)"), std::string::npos) << error.what();
  }
  EXPECT_THROW((void)s.try_acquire(3), std::invalid_argument);
  EXPECT_THROW(semaphore{SIZE_MAX}, std::invalid_argument);
}

TEST(semaphore, refuses_to_take_back_more_than_is_out) {
  semaphore s{2};
  EXPECT_THROW(s.release(1), std::logic_error);
  s.try_acquire(2)->forget();
  EXPECT_EQ(s.available(), 0U);
  EXPECT_THROW(s.release(3), std::logic_error);
  s.release(2);
  EXPECT_EQ(s.available(), 2U);
}

TEST(semaphore, a_permit_splits) {
  semaphore s{3};
  auto all = s.try_acquire(3);
  {
    permit part = all->split(2);
    EXPECT_EQ(part.count(), 2U);
    EXPECT_EQ(all->count(), 1U);
    EXPECT_THROW((void)all->split(2), std::invalid_argument);
  }
  EXPECT_EQ(s.available(), 2U);
}

TEST(semaphore, grows_and_shrinks_live) {
  executor e;
  semaphore s{1};
  std::string error;
  std::optional<permit> first;
  std::optional<permit> second;
  hold(e, s, 1, first, error);
  hold(e, s, 1, second, error);
  EXPECT_FALSE(second);
  s.resize(2);
  e.run();
  EXPECT_TRUE(second);
  s.resize(1);
  EXPECT_EQ(s.available(), 0U);
  first.reset();
  EXPECT_EQ(s.available(), 0U) << "two were out of one: the first to come back pays the debt";
  second.reset();
  EXPECT_EQ(s.available(), 1U);
}

TEST(semaphore, a_waiter_larger_than_the_new_total_keeps_its_place) {
  executor e;
  semaphore s{2};
  std::string error;
  std::optional<permit> first;
  std::optional<permit> large;
  hold(e, s, 1, first, error);
  hold(e, s, 2, large, error);
  s.resize(1);
  first.reset();
  e.run();
  EXPECT_FALSE(large);
  s.resize(2);
  e.run();
  EXPECT_TRUE(large);
}

TEST(semaphore, blocking_acquire_times_out_and_then_holds_nothing) {
  semaphore s{1};
  permit held = s.blocking_acquire();
  EXPECT_THROW((void)s.blocking_acquire(2ms), timed_out);
  EXPECT_THROW((void)s.blocking_acquire(1, 0ms), timed_out);
  held.release();
  EXPECT_EQ(s.available(), 1U);
}

TEST(semaphore, excludes_threads_from_each_other) {
  semaphore s{1};
  long counter = 0;
  const auto work = [&] {
    for (int i = 0; i < 5000; ++i) {
      permit held = s.blocking_acquire();
      ++counter;
    }
  };
  std::thread a(work);
  std::thread b(work);
  a.join();
  b.join();
  EXPECT_EQ(counter, 10000);
}

void destroy_with_a_waiter() {
  executor e;
  std::optional<permit> held;
  std::string error;
  semaphore s{0};
  s.resize(1);
  auto taken = s.try_acquire();
  hold(e, s, 1, held, error);
  taken->forget();
}

TEST(semaphore_death, destroying_one_with_waiters_prints_what_waits_and_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_with_a_waiter(), "semaphore is destroyed while somebody waits on it .1");
}

}  // namespace
}  // namespace sluice
