// tests: runtime/sleep.hpp runtime/deadline.hpp
#include "worlds.hpp"

#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(sleep, is_never_early) {
  in_all_worlds([](runtime& r) {
    auto program = [&]() -> task<> {
      for (const auto d : {0us, 1us, 500us, 2000us}) {
        const auto start = r.now();
        co_await sleep_for(d);
        EXPECT_GE(r.now() - start, d);
        co_await sleep_until(start + 2 * d);
        EXPECT_GE(r.now() - start, 2 * d);
      }
    };
    r.block_on(program());
  });
}

TEST(sleep, takes_any_unit_and_any_length) {
  runtime r(simulated(1));
  auto program = [&]() -> task<> {
    co_await sleep_for(std::chrono::duration<double>(-1.0));
    co_await sleep_for(std::chrono::duration<float, std::milli>(1.5f));
    co_await sleep_for(std::chrono::hours(3));
    co_await sleep_for(-5h);
    co_await sleep_until(std::chrono::steady_clock::time_point::min());
    for (int i = 0; i < 4; ++i) {
      auto never = spawn(
          [](int which) -> task<> {
            if (which == 0) co_await sleep_for(std::chrono::hours::max());
            if (which == 1) co_await sleep_for(std::chrono::nanoseconds::max());
            if (which == 2) co_await sleep_for(std::chrono::duration<double>(1e300));
            if (which == 3) co_await sleep_until(std::chrono::steady_clock::time_point::max());
          },
          i);
      for (int k = 0; k < 50; ++k) co_await yield();
      EXPECT_FALSE(never.done());
      never.cancel();
      EXPECT_THROW(co_await never, cancelled);
    }
  };
  r.block_on(program());
}

TEST(sleep, wakes_in_the_order_of_the_deadlines) {
  runtime r(simulated(1));
  std::vector<int> order;
  auto program = [&]() -> task<> {
    std::vector<task<>> tasks;
    for (const int n : {5, 1, 4, 2, 3}) {
      tasks.push_back([](std::vector<int>& o, int k) -> task<> {
        co_await sleep_for(std::chrono::milliseconds(k * 10));
        o.push_back(k);
      }(order, n));
    }
    co_await when_all(std::move(tasks));
  };
  r.block_on(program());
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST(sleep, cancellation_at_every_point_leaves_no_timer) {
  cancel_at_every_point(
      []() -> task<> {
        for (int i = 0; i < 5; ++i) co_await sleep_for(1ms);
      },
      [](bool) {});
}

TEST(sleep, in_an_already_cancelled_task_throws_even_when_the_time_has_come) {
  runtime r(simulated(1));
  auto body = []() -> task<> { co_await sleep_for(-1s); };
  auto handle = r.spawn(body);
  handle.cancel();
  EXPECT_THROW(handle.wait(), cancelled);
}

TEST(deadline_after, rounds_up_and_saturates) {
  using impl::deadline_after;
  const auto start = impl::time_point{} + 5s;
  EXPECT_EQ(deadline_after(start, 0s), start);
  EXPECT_EQ(deadline_after(start, -3h), start);
  EXPECT_EQ(deadline_after(start, 1ns), start + 1ns);
  EXPECT_EQ(deadline_after(start, std::chrono::duration<double, std::nano>(0.25)), start + 1ns);
  EXPECT_EQ(deadline_after(start, std::chrono::duration<long, std::pico>(1001)), start + 2ns);
  EXPECT_EQ(deadline_after(start, std::chrono::years::max()), impl::time_point::max());
  EXPECT_EQ(deadline_after(start, std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())), start);
}

}  // namespace
}  // namespace sluice
