#pragma once
// How much each board does at full effort, and what its answer must be. The Go and asyncio twins repeat these figures
// (asyncio, ten to a hundred times slower, does less of each: every board reports per item).

#include "harness.hpp"

namespace bench {

inline constexpr long spawn_batch = 1000;  // tasks spawned, then joined
inline constexpr long spawn_total = 2'000'000;
inline constexpr long yield_tasks = 1000;  // tasks that take turns
inline constexpr long yield_total = 5'000'000;
inline constexpr long ping_pong_total = 500'000;
inline constexpr long queue_total = 2'000'000;
inline constexpr long pair_total = 10'000'000;
inline constexpr long pipeline_total = 1'000'000;
inline constexpr long semaphore_total = 2'000'000;
inline constexpr long parked_total = 1'000'000;
inline constexpr long wake_total = 2000;
inline constexpr unsigned crowd = 64;  // workers of the oversubscribed boards
inline constexpr int crowd_turns = 5;  // of the crowd, and as many of the matching number
inline constexpr long service_total = 2'000'000;
inline constexpr long quota_total = 40'000'000;

struct queue_shape {
  std::size_t capacity;
  long producers;
  long consumers;
};

/// What the wake boards show: how late, in us, each of `total` wakes was.
inline reading wake_reading(reading r, std::vector<double>& late_us, long total) {
  check_equal("the number of wakes", static_cast<std::int64_t>(late_us.size()), total);
  r.value = quantile(late_us, 0.5);
  r.unit = "us";
  r.extra = {{"p50_us", r.value}, {"p99_us", quantile(late_us, 0.99)}};
  return r;
}

/// The sum of 1..n: what the consumers of n numbered items must have added up.
inline std::int64_t sum_to(long n) { return static_cast<std::int64_t>(n) * (n + 1) / 2; }

inline int fib_size(effort e) { return e == effort::full ? 35 : e == effort::quick ? 29 : 22; }
inline int crowd_fib_size(effort e) { return e == effort::full ? 33 : e == effort::quick ? 30 : 24; }
inline int skynet_depth(effort e) { return e == effort::full ? 7 : e == effort::quick ? 5 : 4; }
inline int queens_size(effort e) { return e == effort::full ? 12 : e == effort::quick ? 10 : 8; }

inline std::int64_t fib_value(int n) {
  std::int64_t a = 0, b = 1;
  for (int i = 0; i < n; ++i) b += std::exchange(a, b);
  return a;
}
/// How many calls fib(n) makes, itself included.
inline std::int64_t fib_calls(int n) { return 2 * fib_value(n + 1) - 1; }
inline std::int64_t skynet_leaves(int depth) {
  std::int64_t leaves = 1;
  for (int i = 0; i < depth; ++i) leaves *= 10;
  return leaves;
}
/// How many tasks a tree of that depth has, leaves and inner nodes.
inline std::int64_t skynet_tasks(int depth) { return (skynet_leaves(depth) * 10 - 1) / 9; }

/// A board of the eight queens' puzzle: whether a queen may stand in `column` of the next row.
inline bool queen_fits(const unsigned char* columns, int row, int column) {
  for (int other = 0; other < row; ++other) {
    const int distance = column - columns[other];
    if (distance == 0 || distance == row - other || distance == other - row) return false;
  }
  return true;
}
inline std::int64_t queens_value(int n) {
  constexpr std::int64_t known[] = {1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596};
  return known[n];
}

}  // namespace bench
