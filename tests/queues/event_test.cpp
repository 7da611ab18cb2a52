#include <sluice/queues/event.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

coroutine wait_for(executor&, event& e, int& passed, bool& was_cancelled) {
  try {
    co_await e.wait();
    ++passed;
  } catch (const cancelled&) {
    was_cancelled = true;
  }
}

TEST(event, lets_everybody_through_once_set_and_nobody_after_reset) {
  executor home;
  event e;
  int passed = 0;
  bool stopped = false;
  wait_for(home, e, passed, stopped);
  wait_for(home, e, passed, stopped);
  home.run();
  EXPECT_EQ(passed, 0);
  e.set();
  e.set();
  home.run();
  EXPECT_EQ(passed, 2);
  wait_for(home, e, passed, stopped);
  EXPECT_EQ(passed, 3);
  e.reset();
  EXPECT_FALSE(e.is_set());
  wait_for(home, e, passed, stopped);
  EXPECT_EQ(passed, 3);
  e.set();
  home.run();
  EXPECT_EQ(passed, 4);
}

TEST(event, set_then_reset_still_wakes_those_who_waited) {
  executor home;
  event e;
  int passed = 0;
  bool stopped = false;
  wait_for(home, e, passed, stopped);
  e.set();
  e.reset();
  wait_for(home, e, passed, stopped);
  home.run();
  EXPECT_EQ(passed, 1);
  e.set();
  home.run();
  EXPECT_EQ(passed, 2);
}

TEST(event, a_cancelled_wait_ends_and_the_others_go_on_waiting) {
  executor home;
  event e;
  int passed = 0;
  bool first = false;
  bool second = false;
  coroutine waiting = wait_for(home, e, passed, first);
  wait_for(home, e, passed, second);
  waiting.context->cancel();
  home.run();
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  e.set();
  home.run();
  EXPECT_EQ(passed, 1);
}

TEST(event, blocks_plain_threads_with_and_without_a_limit) {
  event e;
  EXPECT_THROW(e.blocking_wait(1ms), timed_out);
  std::thread setter([&] { e.set(); });
  e.blocking_wait();
  setter.join();
  e.blocking_wait(0ms);
}

TEST(event, may_be_destroyed_as_soon_as_its_wait_returned) {
  for (int i = 0; i < 2000; ++i) {
    auto e = std::make_unique<event>();
    std::thread setter([&target = *e] { target.set(); });
    e->blocking_wait();
    e.reset();
    setter.join();
  }
}

void destroy_with_a_waiter() {
  executor home;
  int passed = 0;
  bool stopped = false;
  event e;
  wait_for(home, e, passed, stopped);
}

TEST(event_death, destroying_one_with_waiters_prints_what_waits_and_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_with_a_waiter(), "event is destroyed while somebody waits on it .1");
}

}  // namespace
}  // namespace sluice
