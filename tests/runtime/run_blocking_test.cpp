// tests: runtime/run_blocking.hpp runtime/blocking_pool.hpp runtime/blocking_thread.hpp
#include "worlds.hpp"

#include <sluice/scheduler/cpu_budget.hpp>

#include <atomic>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(run_blocking, gives_the_result_or_rethrows) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      const int n = co_await run_blocking([] { return 3; });
      EXPECT_EQ(n, 3);
      bool called = false;
      co_await run_blocking([&called] { called = true; });
      EXPECT_TRUE(called);
      auto fails = []() -> int { throw std::runtime_error("as planned"); };
      EXPECT_THROW((void)co_await run_blocking(fails), std::runtime_error);
    };
    r.block_on(program());
  });
}

TEST(run_blocking, runs_elsewhere_while_the_only_worker_goes_on) {
  runtime r(threads(1));
  auto program = []() -> task<> {
    const auto here = std::this_thread::get_id();
    std::atomic<bool> go{false};
    auto call = spawn(
        [](std::atomic<bool>& flag) -> task<std::thread::id> {
          auto wait = [&flag] {
            while (!flag) std::this_thread::yield();
            return std::this_thread::get_id();
          };
          co_return co_await run_blocking(wait);
        },
        std::ref(go));
    co_await yield();
    go = true;  // would never come if the call held the worker
    const auto there = co_await call;
    EXPECT_NE(here, there);
  };
  r.block_on(program());
}

TEST(run_blocking, makes_its_calls_on_all_processors_where_workers_are_bound_to_one_each) {
  auto options = threads(2);
  options.pin_workers = true;
  runtime r(options);
  const auto allowed = impl::allowed_processors();
  auto program = [&allowed]() -> task<> {
    const auto here = impl::allowed_processors();
    EXPECT_EQ(here.size(), 1u);
    const auto there = co_await run_blocking(impl::allowed_processors);
    EXPECT_EQ(there, allowed);
  };
  r.block_on(program());
}

TEST(run_blocking, uses_at_most_the_threads_it_may_and_serves_everybody) {
  auto options = threads(2);
  options.blocking_threads = 3;
  runtime r(options);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  auto program = [&]() -> task<> {
    std::vector<task<int>> calls;
    for (int i = 0; i < 60; ++i) {
      calls.push_back([](std::atomic<int>& in, std::atomic<int>& peak, int n) -> task<int> {
        auto call = [&in, &peak, n] {
          const int now = ++in;
          int before = peak;
          while (before < now && !peak.compare_exchange_weak(before, now)) {
          }
          std::this_thread::yield();
          --in;
          return n;
        };
        co_return co_await run_blocking(call);
      }(inside, most, i));
    }
    const auto results = co_await when_all(std::move(calls));
    for (int i = 0; i < 60; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
  };
  r.block_on(program());
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 1);
}

TEST(run_blocking, a_queued_call_is_withdrawn_and_a_started_one_is_waited_for) {
  auto options = threads(1);
  options.blocking_threads = 1;
  runtime r(options);
  auto program = []() -> task<> {
    std::atomic<bool> started{false};
    std::atomic<bool> go{false};
    std::atomic<bool> finished{false};
    std::atomic<bool> second_ran{false};
    auto first = spawn([&]() -> task<int> {
      auto call = [&] {
        started = true;
        while (!go) std::this_thread::yield();
        finished = true;
        return 1;
      };
      co_return co_await run_blocking(call);
    });
    while (!started) co_await yield();
    auto second = spawn([&]() -> task<> {
      auto call = [&] { second_ran = true; };
      co_await run_blocking(call);
    });
    for (int i = 0; i < 10; ++i) co_await yield();
    second.cancel();
    EXPECT_THROW(co_await second, cancelled);
    first.cancel();
    for (int i = 0; i < 10; ++i) co_await yield();
    EXPECT_FALSE(first.done());
    go = true;
    const int n = co_await first;  // the result is delivered
    EXPECT_EQ(n, 1);
    EXPECT_TRUE(finished);
    EXPECT_FALSE(second_ran);
  };
  r.block_on(program());
}

TEST(run_blocking, in_an_already_cancelled_task_throws_and_calls_nothing) {
  std::atomic<bool> called{false};
  runtime r(simulated(1));
  auto handle = r.spawn([&]() -> task<> { co_await run_blocking([&called] { called = true; }); });
  handle.cancel();
  EXPECT_THROW(handle.wait(), cancelled);
  EXPECT_FALSE(called);
}

TEST(blocking_pool, uses_the_last_idle_thread_again) {
  impl::blocking_pool pool(8, "pool");
  struct job final : impl::blocking_job {
    void run() noexcept override {
      who = std::this_thread::get_id();
      done.release();
    }
    std::thread::id who;
    std::binary_semaphore done{0};
  };
  std::thread::id first;
  int same = 0;
  for (int i = 0; i < 50; ++i) {
    job j;
    pool.submit(j);
    while (!j.done.try_acquire()) std::this_thread::yield();
    if (i == 0) first = j.who;
    same += j.who == first ? 1 : 0;
    std::string text;
    do {  // until it is idle again
      text.clear();
      pool.describe(text);
    } while (text.find(" 0 idle") != std::string::npos);
    EXPECT_NE(text.find("blocking pool: 1 thread, 1 idle, 0 calls queued"), std::string::npos) << text;
  }
  EXPECT_EQ(same, 50);
}

}  // namespace
}  // namespace sluice
