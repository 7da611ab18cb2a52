#include "worlds.hpp"

#include <sluice/scheduler/timer_wheel.hpp>

#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(precise_sleep, is_never_early) {
  in_all_worlds(
      [](runtime& r) {
        auto program = [&]() -> task<> {
          for (const auto d : {0us, 1us, 50us, 99us, 100us, 101us, 200us, 600us, 3000us}) {
            const auto start = r.now();
            co_await sleep_for(d, precise);
            EXPECT_GE(r.now() - start, d);
            co_await sleep_until(start + 2 * d, precise);
            EXPECT_GE(r.now() - start, 2 * d);
          }
        };
        r.block_on(program());
      },
      5);
}

TEST(precise_sleep, is_exact_in_a_simulation) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    runtime r(simulated(seed));
    auto program = [&]() -> task<> {
      for (const auto d : {1ns, 99'999ns, 100'001ns, 1'234'567ns, 3'600'000'000'007ns}) {
        const auto start = r.now();
        co_await sleep_for(d, precise);
        EXPECT_EQ(r.now() - start, d);
        co_await sleep_until(start + 3 * d, precise);
        EXPECT_EQ(r.now() - start, 3 * d);
      }
    };
    r.block_on(program());
  }
}

TEST(precise_sleep, takes_any_unit_and_any_length) {
  in_all_worlds(
      [](runtime& r) {
        auto program = [&]() -> task<> {
          const auto start = r.now();
          co_await sleep_for(std::chrono::duration<double>(-1.0), precise);
          co_await sleep_for(-5h, precise);
          co_await sleep_for(0s, precise);
          co_await sleep_until(std::chrono::steady_clock::time_point::min(), precise);
          co_await sleep_until(start, precise);
          co_await sleep_for(std::chrono::duration<float, std::micro>(1.5f), precise);
          EXPECT_GE(r.now() - start, 1500ns);
          std::vector<join_handle<>> never;
          never.push_back(spawn(sleep_for(std::chrono::hours::max(), precise)));
          never.push_back(spawn(sleep_for(std::chrono::duration<double>(1e300), precise)));
          never.push_back(spawn(sleep_until(std::chrono::steady_clock::time_point::max(), precise)));
          never.push_back(spawn(sleep_until(std::chrono::steady_clock::time_point::max() - 1ns, precise)));
          for (int k = 0; k < 50; ++k) co_await yield();
          for (auto& handle : never) {
            EXPECT_FALSE(handle.done());
            handle.cancel();
            EXPECT_THROW(co_await handle, cancelled);
          }
        };
        r.block_on(program());
      },
      3);
}

TEST(precise_sleep, begins_when_it_is_awaited) {
  runtime r(simulated(1));
  auto program = [&]() -> task<> {
    auto wait = sleep_for(1ms, precise);
    co_await sleep_for(5ms);
    const auto start = r.now();
    co_await std::move(wait);
    EXPECT_EQ(r.now() - start, 1ms);
  };
  r.block_on(program());
}

TEST(precise_sleep, cancellation_at_every_point_leaves_no_timer) {
  cancel_at_every_point(
      []() -> task<> {
        for (int i = 0; i < 5; ++i) co_await sleep_for(1ms, precise);
      },
      [](bool) {});
}

// The hour is waited for by the wheel, the 90 us by stepping back, and those may be over before the cancellation comes.
TEST(precise_sleep, is_cancelled_while_it_steps_back_and_while_the_wheel_waits) {
  for (const std::size_t workers : {1u, 2u}) {
    runtime r(threads(workers));
    auto program = []() -> task<> {
      for (const auto wait : {std::chrono::nanoseconds(1h), std::chrono::nanoseconds(90us)}) {
        for (int round = 0; round < 20; ++round) {
          auto sleeper = spawn(sleep_for(wait, precise));
          for (int i = 0; i < round; ++i) co_await yield();
          sleeper.cancel();
          bool stopped = false;
          try {
            co_await sleeper;
          } catch (const cancelled&) {
            stopped = true;
          }
          EXPECT_TRUE(stopped || wait < 1s) << "it slept for an hour";
        }
      }
    };
    r.block_on(program());
    EXPECT_EQ(r.dump_text().find("timer in"), std::string::npos) << "a timer was left behind";
  }
}

TEST(precise_sleep, in_an_already_cancelled_task_throws_even_when_the_time_has_come) {
  in_all_worlds([](runtime& r) {
    auto body = []() -> task<> {
      try {
        co_await sleep_for(1h);
      } catch (const cancelled&) {
      }
      co_await sleep_for(-1s, precise);
      ADD_FAILURE() << "it went on";
    };
    auto handle = r.spawn(body);
    handle.cancel();
    EXPECT_THROW(handle.wait(), cancelled);
  });
}

TEST(precise_sleep, within_a_timeout_ends_with_it_or_before_it) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      EXPECT_THROW(co_await timeout(1ms, sleep_for(1h, precise)), timed_out);
      co_await timeout(1h, sleep_for(300us, precise));
      co_await timeout(1h, when_all(sleep_for(20us, precise), sleep_for(150us, precise)));
      co_await shield(sleep_for(50us, precise));
      co_await unconstrained(sleep_for(50us, precise));
    };
    r.block_on(program());
  });
}

// On the only worker. Unconstrained, so that nothing else makes it step back: if the sleep did not, the other would never run.
TEST(precise_sleep, lets_what_is_ready_run_while_it_steps_back) {
  runtime r(threads(1));
  bool ran = false;
  auto waits = [&]() -> task<> {
    auto other = spawn([&]() -> task<> {
      ran = true;
      co_return;
    });
    while (!ran) co_await sleep_for(90us, precise);
    co_await other;
  };
  r.block_on([](task<> inner) -> task<> { co_await unconstrained(std::move(inner)); }(waits()));
}

// What the wheel makes of each stop, and how many there are.
TEST(precise_stop, leaves_room_for_the_rounding_of_the_wheel_and_comes_to_the_margin_in_few_steps) {
  constexpr std::chrono::nanoseconds tick{1 << 14};
  for (const std::int64_t begin : {std::int64_t{1'000'000'007}, std::int64_t{7} << 40, std::int64_t{999'999'999}}) {
    for (std::int64_t wait = 1; wait < std::int64_t{1} << 60; wait += wait / 3 + 1) {
      impl::time_point now{std::chrono::nanoseconds(begin)};
      const impl::time_point deadline = now + std::chrono::nanoseconds(wait);
      impl::timer_wheel wheel;
      int stops = 0;
      for (impl::time_point stop; (stop = impl::precise_stop(deadline, now)) > now; ++stops) {
        ASSERT_LE(stop, deadline - impl::precise_margin);
        wheel.advance(now.time_since_epoch().count(), [](impl::wheel_entry&) {});
        impl::wheel_entry e;
        wheel.insert(e, stop.time_since_epoch().count(), now.time_since_epoch().count());
        const impl::time_point woken{std::chrono::nanoseconds(e.tick << 14)};
        ASSERT_LE(woken, deadline - impl::precise_margin + tick) << wait << " ns, after " << stops << " stops";
        wheel.remove(e);
        now = woken;
      }
      ASSERT_LE(stops, 3) << wait << " ns";
      ASSERT_LE(deadline - now, impl::precise_margin);
    }
  }
}

}  // namespace
}  // namespace sluice
