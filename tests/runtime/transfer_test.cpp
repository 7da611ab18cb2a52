// tests: scheduler/transfer.hpp
// Whatever a program does millions of times, or nests a million deep, leaves the worker's stack where it was: in every build, also
// where the compiler turns no transfer into a jump (g++ below -O2, g++ with sanitizers).
#include "worlds.hpp"

#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;

constexpr long many = 10'000'000;
constexpr long deep = 1'000'000;

// Under address sanitizer a throw takes 20 us.
#if defined(__SANITIZE_ADDRESS__)
constexpr long throws = deep / 10;
#elif defined(__has_feature)
constexpr long throws = __has_feature(address_sanitizer) ? deep / 10 : deep;
#else
constexpr long throws = deep;
#endif

task<long> one() { co_return 1; }

TEST(transfer, ten_million_awaits_of_tasks) {
  auto program = []() -> task<long> {
    long sum = 0;
    for (long i = 0; i < many; ++i) sum += co_await one();
    co_return sum;
  };
  EXPECT_EQ(run(program(), threads(1)), many);
}

TEST(transfer, ten_million_waits_that_are_over_at_once) {
  auto program = []() -> task<long> {
    queue<long> items(1);
    semaphore permits(1);
    event open;
    open.set();
    long sum = 0;
    for (long i = 0; i < many / 5; ++i) {
      co_await items.put(1);
      sum += co_await items.get();
      auto held = co_await permits.acquire();
      co_await open.wait();
      co_await this_task::checkpoint();
    }
    co_return sum;
  };
  EXPECT_EQ(run(program(), threads(1)), many / 5);
}

TEST(transfer, ten_million_hand_overs_between_two_tasks) {
  struct player {
    static task<> answers(queue<long>& there, queue<long>& back, long rounds) {
      for (long i = 0; i < rounds; ++i) co_await back.put(co_await there.get() + 1);
    }
    static task<long> asks(queue<long>& there, queue<long>& back, long rounds) {
      long last = 0;
      for (long i = 0; i < rounds; ++i) {
        co_await there.put(last);
        last = co_await back.get();
      }
      co_return last;
    }
  };
  constexpr long rounds = many / 4;  // two waits of each
  auto program = []() -> task<long> {
    queue<long> there(1), back(1);
    const auto both = co_await when_all(player::asks(there, back, rounds), player::answers(there, back, rounds));
    co_return std::get<0>(both);
  };
  EXPECT_EQ(run(program(), threads(1)), rounds);
}

TEST(transfer, a_million_joins_one_after_another) {
  auto none = [](task_group&) -> task<> { co_return; };
  auto program = [&]() -> task<long> {
    long sum = 0;
    for (long i = 0; i < many / 10; ++i) {
      const auto both = co_await when_all(one(), one());
      sum += std::get<0>(both) + std::get<1>(both);
      co_await with_group(none);
    }
    co_return sum;
  };
  EXPECT_EQ(run(program(), threads(1)), many / 5);
}

task<long> down(long depth) {
  if (depth == 0) co_return 0;
  const long below = co_await down(depth - 1);
  co_return below + 1;
}

TEST(transfer, a_recursion_a_million_deep) { EXPECT_EQ(run(down(deep), threads(1)), deep); }

task<> throws_below(long depth) {
  if (depth == 0) throw std::runtime_error("bottom");
  co_await throws_below(depth - 1);
}

TEST(transfer, an_exception_from_a_million_deep) {
  EXPECT_THROW(run(throws_below(throws), threads(1)), std::runtime_error);
}

task<> waits_below(long depth, event& there) {
  if (depth != 0) co_return co_await waits_below(depth - 1, there);
  there.set();
  co_await sleep_for(std::chrono::hours(1));
}

TEST(transfer, a_cancellation_a_million_deep) {
  auto program = []() -> task<bool> {
    event there;
    auto handle = spawn(waits_below(throws, there));
    co_await there.wait();
    handle.cancel();
    try {
      co_await handle;
    } catch (const cancelled&) {
      co_return true;
    }
    co_return false;
  };
  EXPECT_TRUE(run(program(), threads(1)));
}

task<long> joins_below(long depth) {
  if (depth == 0) co_return 0;
  const auto both = co_await when_all(joins_below(depth - 1), one());
  co_return std::get<0>(both) + std::get<1>(both);
}

TEST(transfer, joins_a_hundred_thousand_deep) {
  EXPECT_EQ(run(joins_below(deep / 10), threads(1)), deep / 10);
  EXPECT_EQ(run(joins_below(deep / 10), threads(2)), deep / 10);
}

task<> groups_below(long depth) {
  if (depth == 0) co_return;
  auto body = [depth](task_group& group) -> task<> {
    group.spawn(groups_below(depth - 1));
    co_return;
  };
  co_await with_group(body);
}

TEST(transfer, groups_a_hundred_thousand_deep) { run(groups_below(deep / 10), threads(2)); }

task<> cancelled_below(long depth, event& there) {
  if (depth == 0) {
    there.set();
    co_await sleep_for(std::chrono::hours(1));
  } else if (depth % 3 == 0) {
    (void)co_await when_all(cancelled_below(depth - 1, there));
  } else if (depth % 3 == 1) {
    auto body = [&](task_group& group) -> task<> {
      group.spawn(cancelled_below(depth - 1, there));
      co_return;
    };
    co_await with_group(body);
  } else {
    co_await timeout(std::chrono::hours(1), cancelled_below(depth - 1, there));
  }
}

// A cancellation goes down through every scope, and each scope passes it on to the next.
TEST(transfer, a_cancellation_through_scopes_within_scopes) {
  auto program = []() -> task<bool> {
    event there;
    auto handle = spawn(cancelled_below(throws / 4, there));
    co_await there.wait();
    handle.cancel();
    try {
      co_await handle;
    } catch (const cancelled&) {
      co_return true;
    }
    co_return false;
  };
  EXPECT_TRUE(run(program(), threads(2)));
}

task<> follows(join_handle<> before) { co_await before; }

TEST(transfer, a_chain_of_a_hundred_thousand_handles) {
  auto program = []() -> task<> {
    event start;
    auto first = [](event& begin) -> task<> { co_await begin.wait(); };
    join_handle<> last = spawn(first(start));
    for (long i = 0; i < deep / 10; ++i) last = spawn(follows(std::move(last)));
    start.set();
    co_await last;
  };
  run(program(), threads(1));
}

}  // namespace
}  // namespace sluice
