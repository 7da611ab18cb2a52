// tests: runtime/this_task.hpp runtime/awaited_once.hpp runtime/sluice.hpp
#include "worlds.hpp"

#include <csignal>
#include <string>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(this_task, is_not_cancelled_outside_of_every_task) { EXPECT_FALSE(this_task::cancelled()); }

TEST(this_task, sees_its_cancellation_and_its_checkpoint_throws) {
  in_all_worlds([](runtime& r) {
    auto handle = r.spawn([]() -> task<bool> {
      co_await this_task::checkpoint();
      while (!this_task::cancelled()) co_await shield([]() -> task<> { co_await yield(); }());
      bool threw = false;
      try {
        co_await this_task::checkpoint();
      } catch (const cancelled&) {
        threw = true;
      }
      co_return threw;
    });
    auto program = [&]() -> task<> {
      for (int i = 0; i < 5; ++i) co_await yield();
      handle.cancel();
    };
    r.block_on(program());
    bool threw = false;
    try {
      threw = handle.wait();
    } catch (const cancelled&) {
      threw = true;  // cancelled before its first checkpoint
    }
    EXPECT_TRUE(threw);
  });
}

TEST(yield, lets_the_others_go_first) {
  runtime r(threads(1));
  std::string order;
  auto program = [&]() -> task<> {
    auto other = spawn([&]() -> task<> {
      order += 'b';
      co_await yield();
      order += 'd';
    });
    order += 'a';
    co_await yield();
    order += 'c';
    co_await other;
    order += 'e';
  };
  r.block_on(program());
  EXPECT_EQ(order, "abcde");
}

TEST(yield, throws_in_a_cancelled_task) {
  in_all_worlds([](runtime& r) {
    auto handle = r.spawn([]() -> task<> {
      for (;;) co_await yield();
    });
    handle.cancel();
    EXPECT_THROW(handle.wait(), cancelled);
  });
}

template <class Operation>
task<> refuse_second_await(Operation&& operation) {
  (void)co_await std::move(operation);
  bool refused = false;
  try {
    (void)co_await std::move(operation);
  } catch (const std::logic_error&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
}

TEST(operations, are_awaited_once) {
  auto program = []() -> task<> {
    co_await refuse_second_await(yield());
    co_await refuse_second_await(this_task::checkpoint());
    co_await refuse_second_await(sleep_for(1ms));
    co_await refuse_second_await(sleep_until(std::chrono::steady_clock::time_point::min()));
    int calls = 0;
    auto call = [&calls] { ++calls; };
    co_await refuse_second_await(run_blocking(call));
    EXPECT_EQ(calls, 1);
    auto body = [&calls](task_group& g) -> task<> {
      ++calls;
      co_await refuse_second_await(g.join());
    };
    co_await refuse_second_await(with_group(body));
    EXPECT_EQ(calls, 2);
    auto nothing = []() -> task<> { co_return; };
    co_await refuse_second_await(when_all(nothing()));
    co_await refuse_second_await(when_any(nothing()));
    co_await refuse_second_await(when_all_settled(nothing()));
    co_await refuse_second_await(resume_on(lane::normal));
    auto moved = sleep_for(1ms);
    co_await timeout(1s, std::move(moved));
    EXPECT_THROW(co_await std::move(moved), std::logic_error);
    signals s{SIGUSR2};
    std::raise(SIGUSR2);
    co_await refuse_second_await(s.next());
  };
  runtime r(threads(1));
  r.block_on(program());
}

TEST(waits_of_queues, work_in_tasks_and_are_cancelled_with_them) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      queue<int> q(1);
      auto getter = spawn([](queue<int>& from) -> task<int> { co_return co_await from.get(); }, std::ref(q));
      co_await yield();
      co_await q.put(5);
      const int got = co_await getter;
      EXPECT_EQ(got, 5);
      EXPECT_THROW((void)co_await timeout(1ms, q.get()), timed_out);
      auto stuck = spawn([](queue<int>& from) -> task<int> { co_return co_await from.get(); }, std::ref(q));
      co_await yield();
      stuck.cancel();
      EXPECT_THROW((void)co_await stuck, cancelled);
      EXPECT_TRUE(q.empty());
      semaphore s(1);
      auto held = co_await s.acquire();
      EXPECT_THROW((void)co_await timeout(1ms, s.acquire()), timed_out);
      EXPECT_THROW((void)co_await timeout(0s, s.acquire()), timed_out);
      held.release();
      auto again = co_await timeout(0s, s.acquire());
      EXPECT_EQ(again.count(), 1u);
      event e;
      auto waiter = spawn([](event& on) -> task<> { co_await timeout(1h, on.wait()); }, std::ref(e));
      co_await yield();
      e.set();
      co_await waiter;
    };
    r.block_on(program());
  });
}

}  // namespace
}  // namespace sluice
