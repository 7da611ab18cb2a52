// stresses: runtime/sleep.hpp runtime/run_blocking.hpp runtime/blocking_pool.hpp runtime/futex_mutex.hpp runtime/signals.hpp
// stresses: runtime/signal_counts.hpp
// Timers, blocking calls and signals against cancellations and completions that come at the same instant.
#include "worlds.hpp"

#include <atomic>
#include <csignal>
#include <random>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(time_storm, timeouts_race_with_completions_and_nothing_is_lost) {
  semaphore permits(1);
  std::atomic<long> got{0};
  std::atomic<long> late{0};
  auto contender = [&](unsigned seed) -> task<> {
    std::mt19937 random(seed);
    for (int i = 0; i < 1500; ++i) {
      try {
        auto held = co_await timeout(std::chrono::microseconds(1 + random() % 60), permits.acquire());
        ++got;
        if (random() % 4 == 0) co_await sleep_for(std::chrono::microseconds(random() % 40));
      } catch (const timed_out&) {
        ++late;
      }
    }
  };
  runtime r(threads(2));
  auto program = [&]() -> task<> { co_await when_all(contender(1), contender(2), contender(3), contender(4)); };
  r.block_on(program());
  EXPECT_EQ(got + late, 4 * 1500);
  EXPECT_GT(got, 0);
  EXPECT_EQ(permits.available(), 1u);
  EXPECT_EQ(permits.waiters(), 0u);
  EXPECT_EQ(r.dump_text().find("timer in"), std::string::npos);
}

TEST(time_storm, timeouts_of_tasks_race_with_their_ends_and_with_cancellation) {
  runtime r(threads(2));
  std::atomic<long> ended{0};
  auto inner = [&](int us) -> task<int> {
    co_await sleep_for(std::chrono::microseconds(us));
    co_return us;
  };
  auto victim = [&](int us) -> task<> {
    try {
      const int got = co_await timeout(20us, inner(us));
      EXPECT_EQ(got, us);
    } catch (const timed_out&) {
    }
    ++ended;
    co_await yield();
  };
  for (int i = 0; i < 3000; ++i) {
    auto handle = r.spawn(victim, i % 40);
    if (i % 3 == 0) handle.cancel();
    try {
      handle.wait();
    } catch (const cancelled&) {
    }
  }
  EXPECT_GT(ended, 0);
  EXPECT_EQ(r.dump_text().find("timer in"), std::string::npos);
}

TEST(blocking_storm, calls_and_cancellations_run_withdraw_or_finish_each_once) {
  auto options = threads(2);
  options.blocking_threads = 4;
  runtime r(options);
  std::atomic<long> ran{0};
  std::atomic<long> delivered{0};
  std::atomic<long> withdrawn{0};
  auto caller = [&](unsigned seed) -> task<> {
    std::mt19937 random(seed);
    for (int i = 0; i < 800; ++i) {
      auto handle = spawn([&ran]() -> task<int> {
        auto call = [&ran] {
          ++ran;
          return 1;
        };
        co_return co_await run_blocking(call);
      });
      if (random() % 2 == 0) co_await yield();
      if (random() % 2 == 0) handle.cancel();
      try {
        delivered += co_await handle;
      } catch (const cancelled&) {
        ++withdrawn;
      }
    }
  };
  auto program = [&]() -> task<> {
    std::vector<task<>> callers;
    for (unsigned i = 0; i < 8; ++i) callers.push_back(caller(i));
    co_await when_all(std::move(callers));
  };
  r.block_on(program());
  EXPECT_EQ(delivered + withdrawn, 8 * 800);
  EXPECT_EQ(ran, delivered);
}

TEST(signal_storm, every_signal_is_given_once_although_waits_time_out) {
  runtime r(threads(2));
  std::atomic<long> got{0};
  std::atomic<bool> stop{false};
  auto program = [&]() -> task<> {
    signals s{SIGUSR1};
    auto listener = [&]() -> task<> {
      while (!stop) {
        try {
          (void)co_await timeout(30us, s.next());
          ++got;
        } catch (const timed_out&) {
        }
      }
    };
    auto sender = [&]() -> task<> {
      auto send = [&] {
        for (int i = 0; i < 2000; ++i) {
          std::raise(SIGUSR1);  // in this thread: handled before it returns
          if (i % 10 == 0) std::this_thread::yield();
        }
        while (got < 2000) std::this_thread::yield();
        stop = true;
      };
      co_await run_blocking(send);
    };
    co_await when_all(listener(), listener(), sender());
  };
  r.block_on(program());
  EXPECT_EQ(got, 2000);
}

}  // namespace
}  // namespace sluice
