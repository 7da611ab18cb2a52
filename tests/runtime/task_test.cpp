#include "worlds.hpp"

#include <memory>
#include <string>

namespace sluice {
namespace {

using namespace sluice::testing;

task<int> number(int n) { co_return n; }
task<> nothing() { co_return; }
task<int> fails() {
  throw std::runtime_error("as planned");
  co_return 0;
}
task<std::unique_ptr<int>> owner() { co_return std::make_unique<int>(7); }

TEST(task, is_lazy_and_gives_its_value) {
  in_all_worlds([](runtime& r) {
    bool started = false;
    auto body = [](bool& flag) -> task<int> {
      flag = true;
      co_return 3;
    };
    auto t = body(started);
    EXPECT_FALSE(started);
    EXPECT_EQ(r.block_on(std::move(t)), 3);
    EXPECT_TRUE(started);
  });
}

TEST(task, that_never_started_destroys_its_arguments) {
  std::atomic<int> live{0};
  auto body = [](counted) -> task<> { co_return; };
  {
    auto t = body(counted(live));
    EXPECT_EQ(live, 1);
  }
  EXPECT_EQ(live, 0);
}

TEST(task, destroys_its_arguments_at_its_end) {
  std::atomic<int> live{0};
  auto body = [](counted) -> task<> { co_await yield(); };
  auto outer = [&]() -> task<> {
    co_await body(counted(live));
    EXPECT_EQ(live, 0);
  };
  run(outer(), threads(1));
}

TEST(task, rethrows_where_it_is_awaited) {
  auto outer = []() -> task<std::string> {
    std::string caught = "nothing";
    try {
      (void)co_await fails();
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    co_return caught;
  };
  EXPECT_EQ(run(outer(), threads(1)), "as planned");
  EXPECT_THROW(run(fails(), threads(1)), std::runtime_error);
}

TEST(task, moves_results_that_cannot_be_copied) {
  auto outer = []() -> task<int> {
    auto p = co_await owner();
    co_return *p;
  };
  EXPECT_EQ(run(outer(), threads(1)), 7);
  EXPECT_EQ(*run(owner(), threads(1)), 7);
}

TEST(task, awaited_twice_is_a_logic_error) {
  auto outer = []() -> task<> {
    auto t = number(1);
    EXPECT_EQ(co_await std::move(t), 1);
    EXPECT_THROW((void)co_await std::move(t), std::logic_error);
    EXPECT_THROW((void)spawn(std::move(t)), std::logic_error);
    EXPECT_THROW((void)when_all(std::move(t)), std::logic_error);
    EXPECT_THROW((void)shield(std::move(t)), std::logic_error);
  };
  run(outer(), threads(1));
}

TEST(task, a_result_whose_move_throws_ends_as_that_exception) {
  struct stubborn {
    explicit stubborn(int* moves_left) : moves(moves_left) {}
    stubborn(stubborn&& other) : moves(other.moves) {
      if (--*moves < 0) throw std::runtime_error("will not move");
    }
    int* moves;
  };
  auto make = [](int* moves) -> task<stubborn> { co_return stubborn(moves); };
  for (int allowed = 0; allowed < 5; ++allowed) {
    int moves = allowed;
    auto outer = [&]() -> task<bool> {
      bool threw = false;
      try {
        auto handle = spawn(make, &moves);
        (void)co_await std::move(handle);
      } catch (const std::runtime_error&) {
        threw = true;
      }
      co_return threw;
    };
    const bool threw = run(outer(), threads(1));
    EXPECT_EQ(threw, moves < 0) << allowed;
  }
}

TEST(task, void_tasks_complete) { run(nothing(), threads(1)); }

template <class X>
concept has_bind = impl::bindable<X>;
static_assert(has_bind<task<int>>);
static_assert(!has_bind<task<int>&>, "a task is awaited as an rvalue");
static_assert(!std::is_copy_constructible_v<task<>>);
static_assert(std::is_nothrow_move_constructible_v<task<>>);

}  // namespace
}  // namespace sluice
