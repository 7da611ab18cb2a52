// tests: scheduler/fork_lane.hpp
#include "worlds.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;

// Runs `f` in a task of `r`.
template <class F>
void in_task(runtime& r, F f) {
  auto program = [&]() -> task<> {
    f();
    co_return;
  };
  r.block_on(program());
}

// Two calls that must overlap: each waits for the other to have begun.
struct meeting {
  std::atomic<int> there{0};
  void operator()() {
    ++there;
    while (there != 2) std::this_thread::yield();
  }
};

std::int64_t fib(int n) {
  if (n < 2) return n;
  const auto [a, b] = fork_join([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
  return a + b;
}

TEST(fork_join, gives_both_results_and_void_as_monostate) {
  in_all_worlds([](runtime& r) {
    in_task(r, [] {
      bool called = false;
      const auto both = fork_join([] { return std::string("one"); }, [&] { called = true; });
      EXPECT_EQ(both.first, "one");
      EXPECT_EQ(both.second, std::monostate{});
      EXPECT_TRUE(called);
      auto moved = fork_join([] { return std::make_unique<int>(1); }, [] { return std::make_unique<int>(2); });
      EXPECT_EQ(*moved.first + *moved.second, 3);
    });
  });
}

TEST(fork_join, nests_without_a_cut_off) {
  in_all_worlds([](runtime& r) { in_task(r, [] { EXPECT_EQ(fib(16), 987); }); }, 5);
}

TEST(fork_join, runs_the_second_call_on_another_worker) {
  runtime r(threads(2));
  for (int i = 0; i < 1000; ++i) {
    in_task(r, [] {
      meeting both;
      fork_join(std::ref(both), std::ref(both));
    });
  }
}

TEST(fork_join, offers_coarse_calls_within_the_first_of_others) {
  runtime r(threads(2));
  for (int i = 0; i < 1000; ++i) {
    in_task(r, [] {
      meeting both;
      const auto inner = [&] { fork_join(std::ref(both), std::ref(both)); };
      fork_join([&] { fork_join([&] { fork_join(inner, [] {}); }, [] {}); }, [] {});
    });
  }
}

TEST(fork_join, waits_for_a_stolen_call_that_takes_long) {
  runtime r(threads(2));
  in_task(r, [] {
    std::atomic<bool> begun{false};
    std::atomic<bool> ended{false};
    fork_join(
        [&] {
          while (!begun) std::this_thread::yield();
        },
        [&] {
          begun = true;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          ended = true;
        });
    EXPECT_TRUE(ended);
  });
}

TEST(fork_join, takes_more_forks_than_the_deque_has_room_for_at_first) {
  in_all_worlds(
      [](runtime& r) {
        in_task(r, [] {
          struct chain {
            static int of(int n) {
              if (n == 0) return 1;
              const auto [deep, flat] = fork_join([n] { return of(n - 1); }, [] { return 1; });
              return deep + flat;
            }
          };
          EXPECT_EQ(chain::of(2000), 2001);
        });
      },
      3);
}

TEST(fork_join, leaves_the_second_call_out_if_the_first_throws_before_it_begins) {
  runtime r(threads(1));
  in_task(r, [] {
    bool called = false;
    EXPECT_THROW(fork_join([] { throw std::runtime_error("first"); }, [&] { called = true; }), std::runtime_error);
    EXPECT_FALSE(called);
  });
}

TEST(fork_join, rethrows_what_the_first_threw_when_the_second_has_ended) {
  runtime r(threads(2));
  in_task(r, [] {
    meeting both;
    bool ended = false;
    const auto first = [&] {
      both();
      throw std::runtime_error("first");
    };
    const auto second = [&] {
      both();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ended = true;
      throw std::logic_error("second");
    };
    EXPECT_THROW(fork_join(first, second), std::runtime_error);
    EXPECT_TRUE(ended);
  });
}

TEST(fork_join, rethrows_what_the_second_threw_wherever_it_ran) {
  runtime r(threads(2));
  in_task(r, [] {
    EXPECT_THROW(fork_join([] {}, [] { throw std::runtime_error("here"); }), std::runtime_error);
    meeting both;
    const auto second = [&] {
      both();
      throw std::runtime_error("there");
    };
    EXPECT_THROW(fork_join(std::ref(both), second), std::runtime_error);
  });
}

TEST(fork_join, destroys_every_result_once) {
  std::atomic<int> live{0};
  runtime r(threads(2));
  in_task(r, [&] {
    for (int i = 0; i < 200; ++i) {
      meeting both;
      const auto make = [&](bool fails) {
        both();
        counted result(live);
        if (fails) throw std::runtime_error("no result");
        return result;
      };
      try {
        fork_join([&] { return make(i % 3 == 0); }, [&] { return make(i % 3 == 1); });
      } catch (const std::runtime_error&) {
      }
    }
  });
  EXPECT_EQ(live, 0);
}

TEST(fork_join, runs_nothing_foreign_while_it_waits) {
  runtime r(threads(2));
  auto program = [&]() -> task<> {
    std::vector<task<>> tasks;
    for (int i = 0; i < 200; ++i) {
      auto one = []() -> task<> {
        static thread_local bool inside = false;  // a task's call is on this stack
        EXPECT_FALSE(std::exchange(inside, true));
        EXPECT_EQ(fib(14), 377);
        inside = false;
        co_return;
      };
      tasks.push_back(one());
    }
    co_await when_all(std::move(tasks));
  };
  for (int i = 0; i < 20; ++i) r.block_on(program());
}

TEST(fork_join, asks_for_the_calling_tasks_cancellation_on_both_sides) {
  runtime r(threads(2));
  auto program = []() -> task<> {
    std::atomic<int> seen{0};
    std::atomic<bool> begun{false};
    auto victim = [&]() -> task<> {
      const auto side = [&] {
        begun = true;
        while (!this_task::cancelled()) std::this_thread::yield();
        ++seen;
      };
      fork_join(side, side);
      co_return;
    };
    auto handle = spawn(victim);
    std::thread canceller([&] {
      while (!begun) std::this_thread::yield();
      handle.cancel();
    });
    co_await handle;
    canceller.join();
    EXPECT_EQ(seen, 2);
  };
  r.block_on(program());
}

TEST(fork_join, lets_both_calls_spawn_tasks) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto number = [](int n) -> task<int> { co_return n; };
      auto handles = fork_join([&] { return spawn(number(1)); }, [&] { return spawn(number(2)); });
      const int one = co_await handles.first;
      const int two = co_await handles.second;
      EXPECT_EQ(one + two, 3);
    };
    r.block_on(program());
  });
}

TEST(fork_join, leaves_forked_coroutines_where_they_are) {
  in_all_worlds(
      [](runtime& r) {
        auto leaf = [](int n) -> task<std::int64_t> { co_return fib(n); };
        auto program = [&]() -> task<> {
          std::vector<task<std::int64_t>> leaves;
          for (int i = 0; i < 50; ++i) leaves.push_back(leaf(i % 12));
          const auto values = co_await when_all(std::move(leaves));
          std::int64_t expected = 0;
          for (int i = 0; i < 50; ++i) expected += fib(i % 12);
          EXPECT_EQ(std::accumulate(values.begin(), values.end(), std::int64_t{0}), expected);
        };
        r.block_on(program());
      },
      10);
}

TEST(fork_join, refuses_a_thread_that_is_no_worker) {
  try {
    fork_join([] {}, [] {});
    FAIL();
  } catch (const std::logic_error& e) {
    EXPECT_STREQ(e.what(),
                 "sluice::fork_join: this thread is no worker; call it in a task, such as one given to sluice::run, "
                 "and not in run_blocking");
  }
}

}  // namespace
}  // namespace sluice
