#include "worlds.hpp"

#include <string>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

task<int> number_after(int n, std::chrono::milliseconds d) {
  co_await sleep_for(d);
  co_return n;
}

TEST(timeout, of_an_operation_gives_its_result_or_throws) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      co_await timeout(1h, sleep_for(1ms));
      EXPECT_THROW(co_await timeout(1ms, sleep_for(1000h)), timed_out);
      auto handle = spawn(number_after(3, 1ms));
      const int n = co_await timeout(1h, handle);
      EXPECT_EQ(n, 3);
      auto slow = spawn(number_after(4, 10ms));
      EXPECT_THROW((void)co_await timeout(1ms, slow), timed_out);
      const int m = co_await slow;  // the timeout only stopped the waiting
      EXPECT_EQ(m, 4);
      EXPECT_FALSE(this_task::cancelled());
    };
    r.block_on(program());
  });
}

TEST(timeout, of_several_items_tells_how_many_got_in) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      queue<int> q{2};
      std::vector<int> items = {1, 2, 3, 4};
      const std::size_t at_once = co_await timeout(0s, q.put_many(items));
      EXPECT_EQ(at_once, 2U);
      EXPECT_EQ(q.try_get(), 1);
      const std::size_t nested = co_await timeout(0s, timeout(1h, q.put_many(items)));
      EXPECT_EQ(nested, 1U);
      EXPECT_EQ(q.try_get(), 2);
      const std::size_t late = co_await timeout(1ms, q.put_many(items));
      EXPECT_EQ(late, 1U);
      EXPECT_THROW((void)co_await timeout(1ms, q.put_many(items)), timed_out);
    };
    r.block_on(program());
  });
}

TEST(timeout, of_a_task_cancels_it_and_waits_for_its_end) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> live{0};
      auto sleeper = [](counted) -> task<> { co_await sleep_for(1000h); };
      EXPECT_THROW(co_await timeout(1ms, sleeper(counted(live))), timed_out);
      EXPECT_EQ(live, 0);
      const int n = co_await timeout(1h, number_after(5, 1ms));
      EXPECT_EQ(n, 5);
      EXPECT_FALSE(this_task::cancelled());
    };
    r.block_on(program());
  });
}

TEST(timeout, a_result_or_exception_of_its_own_wins_over_the_time) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto stubborn = []() -> task<int> {
        try {
          co_await sleep_for(1000h);
        } catch (const cancelled&) {
        }
        co_return 7;
      };
      const int n = co_await timeout(1ms, stubborn());
      EXPECT_EQ(n, 7);
      auto angry = []() -> task<int> {
        try {
          co_await sleep_for(1000h);
        } catch (const cancelled&) {
        }
        throw std::runtime_error("its own");
      };
      std::string what;
      try {
        (void)co_await timeout(1ms, angry());
      } catch (const std::runtime_error& e) {
        what = e.what();
      }
      EXPECT_EQ(what, "its own");
      auto liar = []() -> task<> {
        throw cancelled{};
        co_return;
      };
      EXPECT_THROW(co_await timeout(1h, liar()), cancelled);
    };
    r.block_on(program());
  });
}

TEST(timeout, of_zero_or_less_tries_once_and_never_parks) {
  in_all_worlds([](runtime& r) {
    auto program = [&]() -> task<> {
      co_await timeout(0s, sleep_for(0s));
      co_await timeout(-1h, this_task::checkpoint());
      EXPECT_THROW(co_await timeout(0s, sleep_for(1ns * 1'000'000)), timed_out);
      auto handle = spawn(number_after(1, 1ms));
      EXPECT_THROW((void)co_await timeout(0s, handle), timed_out);
      while (!handle.done()) co_await sleep_for(1ms);
      const int n = co_await timeout(0s, handle);
      EXPECT_EQ(n, 1);
      const auto start = r.now();
      EXPECT_THROW((void)co_await timeout(-1s, number_after(1, 1h / 1ms * 1ms)), timed_out);
      EXPECT_LT(r.now() - start, 30min);
      auto immediate = []() -> task<int> { co_return 2; };
      const int m = co_await timeout(0s, immediate());
      EXPECT_EQ(m, 2);
    };
    r.block_on(program());
  });
}

TEST(timeout, of_combinators_passes_the_time_on) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> live{0};
      auto sleeper = [](counted) -> task<> { co_await sleep_for(1000h); };
      EXPECT_THROW(co_await timeout(1ms, when_all(sleeper(counted(live)), sleeper(counted(live)))), timed_out);
      EXPECT_EQ(live, 0);
      EXPECT_THROW(co_await timeout(1ms, with_group([&](task_group& group) -> task<> {
                                      group.spawn(sleeper(counted(live)));
                                      co_await group.join();
                                    })),
                   timed_out);
      EXPECT_EQ(live, 0);
      auto both = co_await timeout(1h, when_all(number_after(1, 1ms), number_after(2, 2ms)));
      EXPECT_EQ(std::get<0>(both) + std::get<1>(both), 3);
      EXPECT_THROW(co_await timeout(1ms, timeout(1h, sleep_for(1000h))), timed_out);
      EXPECT_THROW(co_await timeout(1h, timeout(1ms, sleep_for(1000h))), timed_out);
      co_await timeout(1h, yield());
      const int shielded = co_await timeout(1ms, shield(number_after(1, 2ms)));
      EXPECT_EQ(shielded, 1);  // the time could not reach it
    };
    r.block_on(program());
  });
}

TEST(timeout, in_an_already_cancelled_task_throws_cancelled_and_starts_nothing) {
  bool started = false;
  auto child = [&]() -> task<> {
    started = true;
    co_return;
  };
  auto body = [&]() -> task<> {
    EXPECT_THROW(co_await timeout(1h, child()), cancelled);
    EXPECT_THROW(co_await timeout(0s, child()), cancelled);
    EXPECT_THROW(co_await timeout(1h, sleep_for(0s)), cancelled);
    co_await timeout(1h, sleep_for(1h));
  };
  runtime r(simulated(1));
  auto handle = r.spawn(body);
  handle.cancel();
  EXPECT_THROW(handle.wait(), cancelled);
  EXPECT_FALSE(started);
}

TEST(timeout, cancellation_from_outside_wins_over_timed_out) {
  cancel_at_every_point(
      []() -> task<> {
        bool was_cancelled = false;
        try {
          co_await timeout(2ms, sleep_for(1000h));
        } catch (const timed_out&) {
        } catch (const cancelled&) {
          was_cancelled = true;
        }
        EXPECT_TRUE(!was_cancelled || this_task::cancelled());
        if (was_cancelled) throw cancelled{};
        try {
          co_await timeout(2ms, for_ever());
        } catch (const timed_out&) {
          if (this_task::cancelled()) throw std::logic_error("the cancellation was first");
        }
      },
      [](bool) {});
}

TEST(timeout, leaves_no_timer_behind) {
  runtime r(simulated(1));
  auto program = [&]() -> task<> {
    for (int i = 0; i < 50; ++i) co_await timeout(1h, sleep_for(1ms));
    for (int i = 0; i < 50; ++i) (void)co_await timeout(1h, number_after(1, 1ms));
    EXPECT_EQ(r.dump_text().find("timer in"), std::string::npos);
  };
  r.block_on(program());
}

TEST(timeout, of_a_task_that_was_awaited_is_a_logic_error) {
  auto program = []() -> task<> {
    auto t = number_after(1, 0ms);
    (void)co_await std::move(t);
    EXPECT_THROW((void)co_await timeout(1h, std::move(t)), std::logic_error);
  };
  run(program(), simulated(1));
}

TEST(timeout, shows_in_a_dump_what_the_operation_waits_for) {
  runtime r(simulated(1));
  auto program = [&]() -> task<> {
    auto handle = spawn([]() -> task<> { co_await timeout(1h, sleep_for(2h)); });
    for (int i = 0; i < 20; ++i) co_await yield();
    EXPECT_NE(r.dump_text().find("waits in sleep"), std::string::npos);
    handle.cancel();
    EXPECT_THROW(co_await handle, cancelled);
  };
  r.block_on(program());
}

}  // namespace
}  // namespace sluice
