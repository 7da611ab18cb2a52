// stresses: scheduler/fork_lane.hpp
// Plain functions that fork on real threads, beside coroutines that fork and wait on the same workers.
#include "worlds.hpp"

#include <atomic>
#include <cstdint>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;

// A call that learns whether its frame is still there: a thief that came too late would find another value.
struct frame {
  explicit frame(int n) : value(n) {}
  ~frame() { value = -1; }
  int value;
};

std::int64_t sum_to(int n, std::uint32_t how) {
  if (n == 0) return 0;
  const frame here(n);
  if (how % 1013 == 5) throw std::runtime_error("as planned");
  const auto [less, mine] = fork_join([&] { return sum_to(here.value - 1, how * 1664525 + 1013904223); },
                                      [&] { return std::int64_t{here.value}; });
  if (mine != n) throw std::logic_error("a frame has gone too early");
  return less + mine;
}

std::int64_t fib(int n) {
  if (n < 2) return n;
  const auto [a, b] = fork_join([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
  return a + b;
}

task<std::int64_t> fib_of_both_kinds(int n) {
  if (n < 8) co_return fib(n);
  if (n % 3 == 0) co_await yield();
  auto both = co_await when_all(fib_of_both_kinds(n - 1), fib_of_both_kinds(n - 2));
  co_return std::get<0>(both) + std::get<1>(both);
}

TEST(fork_storm, of_coroutines_and_plain_calls_keeps_every_sum) {
  for (const std::size_t workers : {2u, 4u}) {
    runtime r(threads(workers));
    for (int i = 0; i < 200; ++i) EXPECT_EQ(r.block_on(fib_of_both_kinds(20)), 6765);
  }
}

TEST(fork_storm, of_failures_joins_every_call) {
  runtime r(threads(4));
  std::atomic<int> failed{0};
  auto many = [&](std::uint32_t seed) -> task<> {
    std::mt19937 random(seed);
    for (int i = 0; i < 4000; ++i) {
      try {
        EXPECT_EQ(sum_to(40, static_cast<std::uint32_t>(random())), 820);
      } catch (const std::runtime_error&) {
        ++failed;
      }
      if (i % 16 == 0) co_await yield();
    }
  };
  auto program = [&]() -> task<> {
    std::vector<task<>> all;
    for (std::uint32_t i = 0; i < 8; ++i) all.push_back(many(i));
    co_await when_all(std::move(all));
  };
  r.block_on(program());
  EXPECT_GT(failed, 0);
}

TEST(fork_storm, of_loops_in_loops_calls_each_round_once) {
  runtime r(threads(4));
  auto program = []() -> task<> {
    std::vector<std::atomic<int>> calls(64 * 64);
    for (int i = 0; i < 1000; ++i) {
      parallel_for(0, 64, [&](int row) {
        parallel_for(0, 64, [&](int column) { ++calls[static_cast<std::size_t>(row * 64 + column)]; }, 1);
      });
    }
    for (const auto& c : calls) EXPECT_EQ(c, 1000);
    co_return;
  };
  r.block_on(program());
}

TEST(fork_storm, beside_a_queue_neither_waits_for_the_other) {
  runtime r(threads(2));
  queue<int> items(4);
  auto producer = [&]() -> task<> {
    for (int i = 0; i < 20'000; ++i) {
      EXPECT_EQ(fib(10), 55);
      co_await items.put(int{i});
    }
    items.close();
  };
  auto program = [&]() -> task<> {
    auto handle = spawn(producer());
    int got = 0;
    while (auto item = co_await items.next()) {
      EXPECT_EQ(*item, got++);
      EXPECT_EQ(fib(9), 34);
    }
    EXPECT_EQ(got, 20'000);
    co_await handle;
  };
  r.block_on(program());
}

}  // namespace
}  // namespace sluice
