#include "worlds.hpp"

#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

task<int> number(int n) {
  co_await yield();
  co_return n;
}
task<int> fails() {
  co_await yield();
  throw std::runtime_error("as planned");
}

TEST(join_handle, gives_the_result_as_an_lvalue_and_as_an_rvalue) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<int> {
      auto handle = spawn(number(1));
      const int first = co_await handle;
      const int second = co_await spawn(number(2));
      auto third_handle = spawn(number(3));
      const int third = co_await std::move(third_handle);
      co_return first + second + third;
    };
    EXPECT_EQ(r.block_on(program()), 6);
  });
}

TEST(join_handle, rethrows_what_the_task_threw) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<bool> {
      auto handle = spawn(fails());
      bool threw = false;
      try {
        (void)co_await handle;
      } catch (const std::runtime_error&) {
        threw = true;
      }
      co_return threw;
    };
    EXPECT_TRUE(r.block_on(program()));
    EXPECT_THROW(r.spawn(fails()).wait(), std::runtime_error);
    EXPECT_EQ(r.unhandled_exception_count(), 0u);
  });
}

TEST(join_handle, gives_its_result_once) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto handle = spawn(number(1));
      (void)co_await handle;
      EXPECT_THROW((void)co_await handle, std::logic_error);
      EXPECT_TRUE(handle.done());
      auto moved = spawn(number(1));
      auto to = std::move(moved);
      EXPECT_THROW((void)co_await moved, std::logic_error);
      (void)co_await to;
    };
    r.block_on(program());
    auto handle = r.spawn(number(2));
    EXPECT_EQ(handle.wait(), 2);
    EXPECT_THROW(handle.wait(), std::logic_error);
  });
}

TEST(join_handle, carries_results_larger_than_a_record) {
  using large = std::array<long, 100>;
  auto make = []() -> task<large> {
    large x{};
    x.fill(5);
    co_await yield();
    co_return x;
  };
  in_all_worlds([&](runtime& r) {
    const large x = r.spawn(make).wait();
    EXPECT_EQ(x[99], 5);
    auto dropped = r.spawn(make);
  });
}

TEST(join_handle, done_means_counted_out_and_destroyed) {
  runtime r(threads(1));
  std::atomic<int> live{0};
  auto body = [](counted) -> task<> { co_await sleep_for(1ms); };
  auto handle = r.spawn(body, counted(live));
  while (!handle.done()) std::this_thread::yield();
  EXPECT_EQ(r.task_count(), 0u);
  EXPECT_EQ(live, 0);
  handle.wait();
}

// By the end of the runtime at the latest: a handle that goes just when its task ends leaves the result to the worker, which
// counts the task out first.
TEST(join_handle, results_nobody_takes_are_destroyed) {
  auto body = [](std::atomic<int>& count) -> task<counted> {
    co_await yield();
    co_return counted(count);
  };
  auto program = [&](std::atomic<int>& live) -> task<> {
    {
      auto before_the_end = spawn(body, std::ref(live));
    }
    auto after_the_end = spawn(body, std::ref(live));
    while (!after_the_end.done()) co_await yield();
    after_the_end.detach();
  };
  std::vector<runtime_options> worlds{threads(2), threads(1)};
  for (std::uint64_t seed = 0; seed < 30; ++seed) worlds.push_back(simulated(seed));
  for (const runtime_options& world : worlds) {
    std::atomic<int> live{0};
    {
      runtime r(world);
      r.block_on(program(live));
      while (r.task_count() != 0) r.block_on(number(0));
    }
    EXPECT_EQ(live, 0);
  }
}

TEST(join_handle, a_result_without_a_handle_is_destroyed_before_its_task_is_counted_out) {
  in_all_worlds([](runtime& r) {
    std::atomic<int> live{0};
    event go;
    auto body = [](std::atomic<int>& count, event& when) -> task<counted> {
      co_await when.wait();
      co_return counted(count);
    };
    r.spawn(body, std::ref(live), std::ref(go)).detach();
    go.set();
    while (r.task_count() != 0) r.block_on(number(0));
    EXPECT_EQ(live, 0);
  });
}

TEST(join_handle, cancel_is_idempotent_and_reaches_the_current_wait) {
  in_all_worlds([](runtime& r) {
    auto handle = r.spawn(for_ever());
    handle.cancel();
    handle.cancel();
    EXPECT_THROW(handle.wait(), cancelled);
    handle.cancel();
    EXPECT_TRUE(handle.done());
  });
}

TEST(join_handle, a_task_cancelled_before_its_first_step_still_runs_to_its_first_wait) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    bool started = false;
    bool went_on = false;
    auto body = [&]() -> task<> {
      started = true;
      EXPECT_TRUE(this_task::cancelled());
      co_await this_task::checkpoint();
      went_on = true;
    };
    runtime r(simulated(seed));
    auto handle = r.spawn(body);
    handle.cancel();
    EXPECT_THROW(handle.wait(), cancelled);
    EXPECT_TRUE(started);
    EXPECT_FALSE(went_on);
  }
}

TEST(join_handle, cancelling_the_waiter_only_stops_the_waiting) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto inner = spawn([]() -> task<int> {
        co_await sleep_for(5ms);
        co_return 9;
      });
      auto waiter = spawn([](join_handle<int>& h) -> task<int> { co_return co_await h; }, std::ref(inner));
      co_await yield();
      waiter.cancel();
      EXPECT_THROW((void)co_await waiter, cancelled);
      EXPECT_FALSE(this_task::cancelled());
      const int n = co_await inner;  // still usable
      EXPECT_EQ(n, 9);
    };
    r.block_on(program());
  });
}

TEST(join_handle, a_second_waiter_is_a_logic_error) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    runtime r(simulated(seed));
    auto program = []() -> task<> {
      auto inner = spawn(for_ever());
      auto first = spawn([](join_handle<void>& h) -> task<> { co_await h; }, std::ref(inner));
      for (int i = 0; i < 200; ++i) co_await yield();
      EXPECT_THROW(co_await inner, std::logic_error);
      inner.cancel();
      EXPECT_THROW(co_await first, cancelled);
    };
    r.block_on(program());
  }
}

TEST(join_handle, detach_lets_the_task_run_on) {
  std::atomic<int> ran{0};
  {
    runtime r(threads(2));
    for (int i = 0; i < 100; ++i) {
      r.spawn([&]() -> task<> {
         co_await yield();
         ++ran;
       }).detach();
    }
    while (r.task_count() != 0) std::this_thread::yield();
  }
  EXPECT_EQ(ran, 100);
}

TEST(join_handle, cancellation_at_every_point_either_delivers_or_leaves_the_handle_usable) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (int point = 0; point < 25; ++point) {
      runtime r(simulated(seed));
      auto program = [&]() -> task<> {
        auto inner = spawn([]() -> task<int> {
          for (int i = 0; i < 5; ++i) co_await yield();
          co_return 6;
        });
        int got = 0;
        auto waiter = spawn([&]() -> task<> { got = co_await inner; });
        for (int i = 0; i < point; ++i) co_await yield();
        waiter.cancel();
        bool was_cancelled = false;
        try {
          co_await waiter;
        } catch (const cancelled&) {
          was_cancelled = true;
        }
        if (was_cancelled) got = co_await inner;
        EXPECT_EQ(got, 6);
      };
      r.block_on(program());
    }
  }
}

}  // namespace
}  // namespace sluice
