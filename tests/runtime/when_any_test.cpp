// tests: runtime/when_any.hpp runtime/when_all_settled.hpp runtime/outcome.hpp runtime/join_scope.hpp
#include "worlds.hpp"

#include <string>
#include <variant>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

task<int> number_after(int n, std::chrono::milliseconds d) {
  co_await sleep_for(d);
  co_return n;
}
task<std::string> fails_after(std::chrono::milliseconds d) {
  co_await sleep_for(d);
  throw std::runtime_error("as planned");
}

task<> sleep_after_all() { co_await sleep_for(3ms); }

TEST(when_any, the_first_to_end_decides_and_the_others_end_before_it_returns) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> live{0};
      auto sleeper = [](counted) -> task<> { co_await sleep_for(1000h); };
      auto got = co_await when_any(sleeper(counted(live)), number_after(4, 1ms), sleeper(counted(live)));
      EXPECT_EQ(got.index(), 1u);
      EXPECT_EQ(std::get<1>(got), 4);
      EXPECT_EQ(live, 0);
      EXPECT_THROW((void)co_await when_any(sleeper(counted(live)), fails_after(1ms)), std::runtime_error);
      EXPECT_EQ(live, 0);
      auto first = co_await when_any(sleep_after_all());
      EXPECT_EQ(first.index(), 0u);
      EXPECT_FALSE(this_task::cancelled());
    };
    r.block_on(program());
  });
}

TEST(when_any, cancellation_at_every_point_ends_every_child_first) {
  std::atomic<int> live{0};
  auto child = [](counted, int ms) -> task<> { co_await sleep_for(std::chrono::milliseconds(ms)); };
  cancel_at_every_point(
      [&]() -> task<> {
        (void)co_await when_any(child(counted(live), 30), child(counted(live), 5));
        EXPECT_EQ(live, 0);
      },
      [&](bool) { EXPECT_EQ(live, 0); });
}

TEST(when_any, in_an_already_cancelled_task_starts_nothing) {
  bool started = false;
  auto child = [&]() -> task<> {
    started = true;
    co_return;
  };
  runtime r(simulated(1));
  auto handle = r.spawn([&]() -> task<> {
    EXPECT_THROW((void)co_await when_any(child(), child()), cancelled);
    EXPECT_THROW((void)co_await when_all_settled(child(), child()), cancelled);
    co_await yield();
  });
  handle.cancel();
  EXPECT_THROW(handle.wait(), cancelled);
  EXPECT_FALSE(started);
}

TEST(when_all_settled, gives_an_outcome_for_each_and_cancels_nobody) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto all = co_await when_all_settled(fails_after(1ms), number_after(3, 2ms), sleep_after_all());
      EXPECT_FALSE(std::get<0>(all).has_value());
      EXPECT_THROW((void)std::get<0>(all).value(), std::runtime_error);
      EXPECT_NE(std::get<0>(all).error(), nullptr);
      EXPECT_TRUE(std::get<1>(all).has_value());
      EXPECT_EQ(std::get<1>(all).value(), 3);
      EXPECT_EQ(std::get<1>(all).error(), nullptr);
      EXPECT_TRUE(std::get<2>(all).has_value());
      std::vector<task<int>> tasks;
      for (int i = 0; i < 10; ++i) tasks.push_back(number_after(i, 1ms));
      auto many = co_await when_all_settled(std::move(tasks));
      for (int i = 0; i < 10; ++i) EXPECT_EQ(many[static_cast<std::size_t>(i)].value(), i);
      auto none = co_await when_all_settled(std::vector<task<>>{});
      EXPECT_TRUE(none.empty());
      auto empty = co_await when_all_settled();
      EXPECT_EQ(std::tuple_size_v<decltype(empty)>, 0u);
    };
    r.block_on(program());
  });
}

TEST(when_all_settled, gives_results_that_have_no_default) {
  struct made_of {
    explicit made_of(int from) : n(from) {}
    int n;
  };
  auto make = [](int n) -> task<made_of> { co_return made_of(n); };
  auto program = [&]() -> task<int> {
    auto both = co_await when_all_settled(make(1), make(2));
    co_return std::get<0>(both).value().n + std::get<1>(both).value().n;
  };
  EXPECT_EQ(run(program(), simulated(1)), 3);
}

TEST(when_all_settled, passes_a_cancellation_on_and_reports_it_as_outcomes) {
  runtime r(simulated(2));
  auto handle = r.spawn([]() -> task<bool> {
    auto both = co_await when_all_settled(for_ever(), number_after(1, 1ms));
    co_return !std::get<0>(both).has_value() && std::get<1>(both).has_value() && this_task::cancelled();
  });
  r.block_on([]() -> task<> { co_await sleep_for(5ms); }());
  handle.cancel();
  EXPECT_TRUE(handle.wait());
}

}  // namespace
}  // namespace sluice
