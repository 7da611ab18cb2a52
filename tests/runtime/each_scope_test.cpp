// tests: runtime/each_scope.hpp runtime/index_range.hpp runtime/split_scope.hpp runtime/callable.hpp
// when_all over a range: each task is made when it is to begin.
#include "worlds.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(when_all_over_a_range, gives_the_results_by_position) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      const auto square = [](int i) -> task<std::unique_ptr<int>> {
        for (int k = 0; k < i % 3; ++k) co_await yield();
        co_return std::make_unique<int>(i * i);
      };
      const std::vector<std::unique_ptr<int>> squares = co_await when_all(3, 103, square);
      EXPECT_EQ(squares.size(), 100u);
      for (int i = 3; i < 103; ++i) EXPECT_EQ(*squares[static_cast<std::size_t>(i - 3)], i * i);
    };
    r.block_on(program());
  });
}

TEST(when_all_over_a_range, of_nothing_completes_at_once) {
  in_all_worlds(
      [](runtime& r) {
        auto program = []() -> task<> {
          int made = 0;
          const auto count = [&made](auto) -> task<int> {
            ++made;
            co_return 1;
          };
          const auto none = co_await when_all(5, 5, count);
          const auto reversed = co_await when_all(5, -5, count);
          EXPECT_TRUE(none.empty() && reversed.empty() && made == 0);
        };
        r.block_on(program());
      },
      2);
}

TEST(when_all_over_a_range, takes_indexes_of_every_integral_type_to_their_ends) {
  auto program = []() -> task<> {
    using limits = std::numeric_limits<std::int64_t>;
    std::vector<std::int64_t> seen;
    const auto note = [&seen](std::int64_t i) -> task<> {
      seen.push_back(i);
      co_return;
    };
    co_await when_all(limits::max() - 2, limits::max(), note);
    co_await when_all(limits::min(), limits::min() + 2, note);
    const std::vector<std::int64_t> expected{limits::max() - 2, limits::max() - 1, limits::min(), limits::min() + 1};
    EXPECT_EQ(seen, expected);
    const auto byte = [](std::uint8_t i) -> task<int> { co_return i; };
    const auto bytes = co_await when_all(std::uint8_t{0}, 255, byte);
    EXPECT_EQ(bytes.size(), 255u);
    EXPECT_THROW((void)when_all(std::uint8_t{0}, 256, byte), std::invalid_argument);
    EXPECT_THROW((void)when_all(0, std::size_t{1} << 40, [](int) -> task<> { co_return; }), std::invalid_argument);
  };
  run(program(), threads(1));
}

TEST(when_all_over_a_range, has_few_tasks_at_a_time_however_long_it_is) {
  std::atomic<int> alive{0};
  std::atomic<int> most{0};
  const auto child = [&](int i) -> task<> {
    const counted one(alive);
    const int now = alive.load();
    for (int seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    if (i % 1000 == 0) co_await yield();
  };
  auto program = [&]() -> task<> { co_await when_all(0, 100'000, child); };
  run(program(), threads(2));
  EXPECT_EQ(alive.load(), 0);
  EXPECT_LE(most.load(), 64);  // those that gave way, and one for each worker
}

TEST(when_all_over_a_range, calls_make_from_one_worker_after_another) {
  for (const std::size_t workers : {2u, 4u}) {
    int next = 0;  // a data race if two call at once
    const auto child = [&next](int i) -> task<int> {
      EXPECT_EQ(i, next++);
      return [](int n) -> task<int> {
        for (int k = 0; k < n % 4; ++k) co_await yield();
        co_return n;
      }(i);
    };
    auto program = [&]() -> task<std::size_t> {
      const auto all = co_await when_all(0, 20'000, child);
      co_return all.size();
    };
    EXPECT_EQ(run(program(), threads(workers)), 20'000u);
  }
}

TEST(when_all_over_a_range, makes_nothing_more_after_a_failure) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> made{0};
      std::atomic<int> ended{0};
      const auto child = [&](int i) -> task<> {
        ++made;
        const counted one(ended);
        if (i == 10) throw std::runtime_error("as planned");
        if (i % 2 == 0) co_await for_ever();
      };
      try {
        co_await when_all(0, 1000, child);
        ADD_FAILURE() << "it failed";
      } catch (const std::runtime_error& e) {
        EXPECT_STREQ(e.what(), "as planned");
      }
      EXPECT_EQ(ended.load(), 0) << "all have ended";
      EXPECT_LT(made.load(), 1000);
      EXPECT_FALSE(this_task::cancelled());
      co_await this_task::checkpoint();
    };
    r.block_on(program());
  });
}

TEST(when_all_over_a_range, throws_what_make_throws_when_all_have_ended) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> alive{0};
      const auto child = [&alive](int i) -> task<int> {
        if (i == 7) throw std::runtime_error("no task");
        return [](std::atomic<int>& a, int n) -> task<int> {
          const counted one(a);
          co_await for_ever();
          co_return n;
        }(alive, i);
      };
      EXPECT_THROW((void)co_await when_all(0, 20, child), std::runtime_error);
      EXPECT_EQ(alive.load(), 0);
      const auto used = [](int) -> task<int> {
        auto once = [](int n) -> task<int> { co_return n; };
        auto t = once(1);
        (void)task<int>(std::move(t));
        return t;  // it was moved from
      };
      EXPECT_THROW((void)co_await when_all(0, 3, used), std::logic_error);
    };
    r.block_on(program());
  });
}

TEST(when_all_over_a_range, is_cancelled_with_its_caller) {
  std::atomic<int> alive{0};
  const auto child = [&alive](int i) -> task<> {
    const counted one(alive);
    if (i % 3 == 0) co_await sleep_for(1h);
    co_await yield();
  };
  cancel_at_every_point([&]() -> task<> { co_await when_all(0, 12, child); },
                        [&](bool was_cancelled) {
                          EXPECT_TRUE(was_cancelled);
                          EXPECT_EQ(alive.load(), 0);
                        });
}

TEST(when_all_over_a_range, in_an_already_cancelled_task_makes_nothing) {
  auto program = []() -> task<> {
    bool made = false;
    auto victim = [&made]() -> task<> {
      try {
        co_await for_ever();
      } catch (const cancelled&) {
      }
      const auto child = [&made](int) -> task<> {
        made = true;
        co_return;
      };
      co_await when_all(0, 3, child);
    };
    auto handle = spawn(victim);
    co_await yield();
    handle.cancel();
    EXPECT_THROW(co_await handle, cancelled);
    EXPECT_FALSE(made);
  };
  run(program(), simulated(1));
}

TEST(when_all_over_a_range, works_within_a_timeout) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> alive{0};
      const auto quick = [&alive](int i) -> task<int> {
        const counted one(alive);
        co_await yield();
        co_return i;
      };
      const auto all = co_await timeout(1h, when_all(0, 5, quick));
      EXPECT_EQ(all.size(), 5u);
      const auto slow = [&alive](int) -> task<> {
        const counted one(alive);
        co_await for_ever();
      };
      EXPECT_THROW(co_await timeout(1ms, when_all(0, 5, slow)), timed_out);
      EXPECT_EQ(alive.load(), 0);
    };
    r.block_on(program());
  });
}

TEST(when_all_over_a_range, is_awaited_once) {
  auto program = []() -> task<> {
    const auto make = [word = std::make_shared<std::string>("kept")](int i) -> task<std::string> {
      co_await yield();
      co_return *word + std::to_string(i);
    };
    auto operation = when_all(0, 3, make);
    const auto words = co_await std::move(operation);
    EXPECT_EQ(words, (std::vector<std::string>{"kept0", "kept1", "kept2"}));
    EXPECT_THROW((void)co_await std::move(operation), std::logic_error);
  };
  run(program(), threads(2));
}

TEST(when_all_over_a_range, nests) {
  struct tree {
    static task<long> sum(long first, int depth) {
      if (depth == 0) co_return first;
      long width = 1;
      for (int i = 1; i < depth; ++i) width *= 10;
      const auto child = [=](long i) { return sum(first + i * width, depth - 1); };
      long all = 0;
      for (const long each : co_await when_all(0l, 10l, child)) all += each;
      co_return all;
    }
  };
  for (const std::size_t workers : {1u, 2u, 4u}) EXPECT_EQ(run(tree::sum(0, 5), threads(workers)), 4'999'950'000);
  for (std::uint64_t seed = 0; seed < 5; ++seed) EXPECT_EQ(run(tree::sum(0, 3), simulated(seed)), 499'500);
}

}  // namespace
}  // namespace sluice
