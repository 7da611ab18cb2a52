#include "worlds.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;

template <class F>
void in_task(runtime& r, F f) {
  auto program = [&]() -> task<> {
    f();
    co_return;
  };
  r.block_on(program());
}

TEST(parallel_for, calls_each_index_once) {
  in_all_worlds(
      [](runtime& r) {
        in_task(r, [] {
          for (const std::size_t n : {1u, 2u, 3u, 64u, 1000u, 20'000u}) {
            for (const std::size_t grain : {0u, 1u, 7u, 100'000u}) {
              std::vector<std::atomic<int>> calls(n);
              parallel_for(std::size_t{0}, n, [&](std::size_t i) { ++calls[i]; }, grain);
              EXPECT_TRUE(std::all_of(calls.begin(), calls.end(), [](const auto& c) { return c == 1; }));
            }
          }
        });
      },
      3);
}

TEST(parallel_for, calls_nothing_for_an_empty_or_reversed_range) {
  runtime r(threads(1));
  in_task(r, [] {
    parallel_for(5, 5, [](int) { FAIL(); });
    parallel_for(5, -5, [](int) { FAIL(); });
    parallel_for(5u, 4u, [](unsigned) { FAIL(); });
  });
}

TEST(parallel_for, goes_up_to_both_ends_of_its_type) {
  runtime r(threads(2));
  in_task(r, [] {
    std::atomic<int> sum{0};
    std::atomic<int> calls{0};
    constexpr signed char low = std::numeric_limits<signed char>::min();
    constexpr signed char high = std::numeric_limits<signed char>::max();
    parallel_for(low, high, [&](signed char i) { sum += i, ++calls; }, 1);
    EXPECT_EQ(calls, 255);
    EXPECT_EQ(sum, -128 - 127);
    std::atomic<int> few{0};
    constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
    parallel_for(last - 3, last, [&](std::int64_t) { ++few; });
    EXPECT_EQ(few, 3);
  });
}

TEST(parallel_for, gives_each_call_an_index_of_its_own) {
  runtime r(threads(1));
  in_task(r, [] {
    int calls = 0;
    parallel_for(0, 100, [&](auto&& i) { ++i, ++calls; }, 100);
    EXPECT_EQ(calls, 100);
    parallel_for(0, 100, [&](int&&) { ++calls; });
    EXPECT_EQ(calls, 200);
  });
}

TEST(parallel_for, uses_all_workers) {
  for (const int workers : {2, 3, 4, 8}) {
    runtime r(threads(static_cast<std::size_t>(workers)));
    in_task(r, [workers] {
      std::atomic<int> there{0};
      parallel_for(0, workers, [&](int) {
        ++there;
        while (there < workers) std::this_thread::yield();
      });
      EXPECT_EQ(there, workers);
    });
  }
}

TEST(parallel_for, feeds_a_worker_that_comes_late) {
  runtime r(threads(2));
  std::atomic<bool> other_busy{true};
  std::atomic<bool> other_began{false};
  auto busy = [&]() -> task<> {
    other_began = true;
    while (other_busy) std::this_thread::yield();
    co_return;
  };
  auto loop = [&]() -> task<> {
    while (!other_began) co_await yield();
    const auto self = std::this_thread::get_id();
    std::atomic<bool> helped{false};
    parallel_for(
        0, 20'000'000,
        [&](int i) {
          if (i == 20) other_busy = false;
          if (helped.load(std::memory_order_relaxed)) return;
          if (std::this_thread::get_id() != self) helped = true;
          std::this_thread::yield();
        },
        1);
    EXPECT_TRUE(helped);
  };
  auto program = [&]() -> task<> {
    auto handle = spawn(busy());
    co_await loop();
    co_await handle;
  };
  r.block_on(program());
}

TEST(parallel_for, rethrows_what_a_round_threw) {
  in_all_worlds(
      [](runtime& r) {
        in_task(r, [] {
          EXPECT_THROW(parallel_for(0, 1000,
                                    [](int i) {
                                      if (i == 377) throw std::runtime_error("round 377");
                                    }),
                       std::runtime_error);
        });
      },
      3);
}

TEST(parallel_for, ends_soon_on_all_workers_if_a_round_throws) {
  for (const bool last_half : {false, true}) {
    runtime r(threads(2));
    in_task(r, [last_half] {
      constexpr std::int64_t end = std::numeric_limits<std::int64_t>::max();
      std::atomic<int> halves{0};  // that have begun
      const auto round = [&](std::int64_t i) {
        if (i != 0 && i != end / 2) return;
        ++halves;
        while (halves != 2) std::this_thread::yield();
        if ((i != 0) == last_half) throw std::runtime_error("long before the end");
      };
      EXPECT_THROW(parallel_for(std::int64_t{0}, end, round), std::runtime_error);
    });
  }
}

TEST(parallel_for, refuses_an_end_that_the_index_cannot_hold) {
  runtime r(threads(1));
  in_task(r, [] {
    EXPECT_THROW(parallel_for(0, (std::uint64_t{1} << 32) + 5, [](int) { FAIL(); }), std::invalid_argument);
    EXPECT_THROW(parallel_for(0u, -1, [](unsigned) { FAIL(); }), std::invalid_argument);
    std::atomic<int> calls{0};
    parallel_for(0, std::vector<int>(7).size(), [&](int) { ++calls; });
    EXPECT_EQ(calls, 7);
  });
}

TEST(parallel_for, refuses_a_thread_that_is_no_worker) {
  EXPECT_THROW(parallel_for(0, 3, [](int) {}), std::logic_error);
  EXPECT_THROW(parallel_for(3, 3, [](int) {}), std::logic_error);
}

}  // namespace
}  // namespace sluice
