#include "worlds.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

task<int> number(int n, int steps = 1) {
  for (int i = 0; i < steps; ++i) co_await yield();
  co_return n;
}
task<std::string> word(std::string w) { co_return w; }
task<> pause_for(std::chrono::milliseconds d) { co_await sleep_for(d); }
task<> fails(std::string what, int steps = 1) {
  for (int i = 0; i < steps; ++i) co_await yield();
  throw std::runtime_error(what);
}

TEST(when_all, gives_all_results_in_order_and_void_as_monostate) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      const auto results = co_await when_all(number(1, 9), word("two"), pause_for(1ms), number(4));
      EXPECT_EQ(std::get<0>(results), 1);
      EXPECT_EQ(std::get<1>(results), "two");
      EXPECT_EQ(std::get<2>(results), std::monostate{});
      EXPECT_EQ(std::get<3>(results), 4);
      const std::tuple<> none = co_await when_all();
      EXPECT_EQ(none, std::tuple<>{});
    };
    r.block_on(program());
  });
}

TEST(when_all, gives_a_vector_for_a_vector_and_completes_at_once_for_none) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::vector<task<int>> tasks;
      for (int i = 0; i < 100; ++i) tasks.push_back(number(i, i % 3));
      const std::vector<int> results = co_await when_all(std::move(tasks));
      EXPECT_EQ(results.size(), 100u);
      for (int i = 0; i < 100; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
      const std::vector<int> none = co_await when_all(std::vector<task<int>>{});
      EXPECT_TRUE(none.empty());
      std::vector<task<>> voids;
      voids.push_back(pause_for(1ms));
      voids.push_back(pause_for(2ms));
      co_await when_all(std::move(voids));
      co_await when_all(std::vector<task<>>{});
    };
    r.block_on(program());
  });
}

TEST(when_all, runs_its_children_in_parallel_and_in_the_callers_absence) {
  runtime r(simulated(1));
  auto program = [&]() -> task<> {
    const auto start = r.now();
    co_await when_all(pause_for(100ms), pause_for(100ms), pause_for(100ms));
    EXPECT_LT(r.now() - start, 150ms);
    EXPECT_GE(r.now() - start, 100ms);
  };
  r.block_on(program());
}

TEST(when_all, the_first_failure_cancels_the_others_and_all_end_before_it_is_rethrown) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> live{0};
      auto sleeper = [](counted) -> task<> { co_await sleep_for(1000h); };
      std::string what;
      try {
        co_await when_all(sleeper(counted(live)), fails("first"), sleeper(counted(live)));
      } catch (const std::runtime_error& e) {
        what = e.what();
        EXPECT_EQ(live, 0);
      }
      EXPECT_EQ(what, "first");
      EXPECT_FALSE(this_task::cancelled());
    };
    r.block_on(program());
  });
}

TEST(when_all, a_failure_before_the_first_wait_is_a_failure_too) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      EXPECT_THROW(co_await when_all(fails("at once", 0), for_ever()), std::runtime_error);
      EXPECT_THROW(co_await when_all(for_ever(), fails("at once", 0)), std::runtime_error);
    };
    r.block_on(program());
  });
}

TEST(when_all, in_an_already_cancelled_task_throws_and_starts_nothing) {
  int started = 0;
  auto child = [&]() -> task<> {
    ++started;
    co_return;
  };
  auto body = [&]() -> task<> {
    EXPECT_THROW(co_await when_all(child(), child()), cancelled);
    std::vector<task<>> tasks;
    tasks.push_back(child());
    EXPECT_THROW(co_await when_all(std::move(tasks)), cancelled);
    co_await yield();
  };
  runtime r(simulated(4));
  auto handle = r.spawn(body);
  handle.cancel();
  EXPECT_THROW(handle.wait(), cancelled);
  EXPECT_EQ(started, 0);
}

TEST(when_all, cancellation_at_every_point_ends_every_child_first) {
  std::atomic<int> live{0};
  auto child = [](counted, int steps) -> task<> {
    for (int i = 0; i < steps; ++i) co_await yield();
    co_await sleep_for(10ms);
  };
  cancel_at_every_point(
      [&]() -> task<> {
        co_await when_all(child(counted(live), 0), child(counted(live), 3), child(counted(live), 9));
        EXPECT_EQ(live, 0);
      },
      [&](bool) { EXPECT_EQ(live, 0); });
}

TEST(when_all, nests_deeply) {
  struct tree {
    static task<long> fib(int n) {
      if (n < 2) co_return n;
      const auto both = co_await when_all(fib(n - 1), fib(n - 2));
      co_return std::get<0>(both) + std::get<1>(both);
    }
  };
  in_all_worlds([](runtime& r) { EXPECT_EQ(r.block_on(tree::fib(13)), 233); }, 5);
}

TEST(when_all, results_that_nobody_sees_are_destroyed) {
  in_all_worlds([](runtime& r) {
    std::atomic<int> live{0};
    auto make = [](std::atomic<int>& count) -> task<counted> { co_return counted(count); };
    auto program = [&]() -> task<> {
      EXPECT_THROW((void)co_await when_all(make(live), fails("later", 3)), std::runtime_error);
      EXPECT_EQ(live, 0);
      {
        auto kept = co_await when_all(make(live), make(live));
        EXPECT_EQ(live, 2);
      }
      EXPECT_EQ(live, 0);
    };
    r.block_on(program());
  });
}

}  // namespace
}  // namespace sluice
