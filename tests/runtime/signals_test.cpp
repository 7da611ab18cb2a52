// tests: runtime/signal_counts.hpp runtime/signal_watch.hpp
#include <sluice/runtime/signals.hpp>

#include "worlds.hpp"

#include <csignal>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(signals, gives_the_number_of_a_signal_that_arrives_while_it_waits) {
  runtime r(threads(2));
  auto program = []() -> task<> {
    signals s{SIGUSR1, SIGUSR2};
    for (int i = 0; i < 20; ++i) {
      const int expected = i % 2 == 0 ? SIGUSR1 : SIGUSR2;
      auto waiter = spawn([](signals& from) -> task<int> { co_return co_await from.next(); }, std::ref(s));
      co_await yield();
      std::raise(expected);
      const int got = co_await waiter;
      EXPECT_EQ(got, expected);
    }
  };
  r.block_on(program());
}

TEST(signals, that_arrived_before_next_are_not_lost) {
  runtime r(threads(1));
  auto program = []() -> task<> {
    signals s{SIGUSR1, SIGUSR2};
    std::raise(SIGUSR2);
    std::raise(SIGUSR1);
    std::raise(SIGUSR1);
    int first = 0;
    int second = 0;
    for (int i = 0; i < 3; ++i) {
      const int got = co_await s.next();
      first += got == SIGUSR1 ? 1 : 0;
      second += got == SIGUSR2 ? 1 : 0;
    }
    EXPECT_EQ(first, 2);
    EXPECT_EQ(second, 1);
    EXPECT_THROW((void)co_await timeout(5ms, s.next()), timed_out);
  };
  r.block_on(program());
}

TEST(signals, every_object_gets_them) {
  runtime r(threads(1));
  auto program = []() -> task<> {
    signals a{SIGUSR1};
    signals b{SIGUSR1, SIGUSR2};
    std::raise(SIGUSR1);
    const int from_a = co_await a.next();
    const int from_b = co_await b.next();
    EXPECT_EQ(from_a, SIGUSR1);
    EXPECT_EQ(from_b, SIGUSR1);
  };
  r.block_on(program());
}

TEST(signals, a_cancelled_wait_takes_none) {
  runtime r(threads(2));
  auto program = []() -> task<> {
    signals s{SIGUSR1};
    for (int i = 0; i < 100; ++i) {
      int got = 0;
      auto waiter = spawn([&]() -> task<> { got = co_await s.next(); });
      if (i % 3 == 0) co_await yield();
      std::raise(SIGUSR1);
      if (i % 2 == 0) co_await yield();
      waiter.cancel();
      bool was_cancelled = false;
      try {
        co_await waiter;
      } catch (const cancelled&) {
        was_cancelled = true;
      }
      EXPECT_NE(was_cancelled, got == SIGUSR1);
      if (was_cancelled) got = co_await s.next();
      EXPECT_EQ(got, SIGUSR1);
    }
  };
  r.block_on(program());
}

int handled = 0;
void count(int) { ++handled; }

TEST(signals, restore_what_was_there_before) {
  auto* const before = std::signal(SIGUSR1, count);
  {
    signals s{SIGUSR1};
    signals again{SIGUSR1};
    std::raise(SIGUSR1);
    EXPECT_EQ(handled, 0);
  }
  std::raise(SIGUSR1);
  EXPECT_EQ(handled, 1);
  std::signal(SIGUSR1, before);
}

TEST(signals, refuse_what_cannot_be_handled) {
  EXPECT_THROW(signals({}), std::invalid_argument);
  EXPECT_THROW(signals({SIGKILL}), std::invalid_argument);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) EXPECT_THROW(signals({fault}), std::invalid_argument);
  EXPECT_THROW(signals({0}), std::invalid_argument);
  EXPECT_THROW(signals({SIGUSR1, 12345}), std::invalid_argument);
  EXPECT_THROW(signals({SIGUSR1, SIGSTOP}), std::invalid_argument);
  // The refused ones left nothing installed.
  struct sigaction now{};
  sigaction(SIGUSR1, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(signals_death, destroyed_with_a_waiter_says_so) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        runtime r(threads(1));
        auto program = []() -> task<> {
          auto s = std::make_unique<signals>(std::initializer_list<int>{SIGUSR1});
          auto waiter = spawn([](signals& from) -> task<int> { co_return co_await from.next(); }, std::ref(*s));
          co_await sleep_for(20ms);
          s.reset();
          (void)co_await waiter;
        };
        r.block_on(program());
      },
      "waits in next");
}

}  // namespace
}  // namespace sluice
