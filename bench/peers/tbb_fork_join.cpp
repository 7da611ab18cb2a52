// The fork-join boards on oneTBB: no cut-off, every call forks.

#include "../sizes.hpp"
#include "tbb_fib.hpp"

#include <tbb/task_group.h>

#include <array>
#include <numeric>

namespace {

bench::reading fib_board(bench::effort e) {
  const int n = bench::fib_size(e);
  const bench::stopwatch watch;
  const std::int64_t value = bench::tbb_fib(n);
  bench::reading r = watch.ns_per_item(bench::fib_calls(n));
  bench::check_equal("fib(n)", value, bench::fib_value(n));
  return r;
}

std::int64_t skynet(std::int64_t first, int depth) {
  if (depth == 0) return first;
  std::array<std::int64_t, 10> sums;
  const std::int64_t width = bench::skynet_leaves(depth - 1);
  tbb::task_group group;
  for (int i = 0; i < 9; ++i)
    group.run(
        [&sums, first, depth, width, i] { sums[static_cast<std::size_t>(i)] = skynet(first + i * width, depth - 1); });
  sums[9] = skynet(first + 9 * width, depth - 1);
  group.wait();
  return std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
}

bench::reading skynet_board(bench::effort e) {
  const int depth = bench::skynet_depth(e);
  const bench::stopwatch watch;
  const std::int64_t value = skynet(0, depth);
  bench::reading r = watch.ns_per_item(bench::skynet_tasks(depth));
  bench::check_equal("the sum of the leaves", value, bench::sum_to(bench::skynet_leaves(depth) - 1));
  return r;
}

std::int64_t queens(int n, int row, const unsigned char* columns) {
  if (row == n) return 1;
  std::array<std::int64_t, 16> found{};
  std::array<std::array<unsigned char, 16>, 16> boards;
  tbb::task_group group;
  for (int column = 0; column < n; ++column) {
    if (!bench::queen_fits(columns, row, column)) continue;
    auto& next = boards[static_cast<std::size_t>(column)];
    std::copy(columns, columns + row, next.begin());
    next[static_cast<std::size_t>(row)] = static_cast<unsigned char>(column);
    group.run(
        [&found, &next, n, row, column] { found[static_cast<std::size_t>(column)] = queens(n, row + 1, next.data()); });
  }
  group.wait();
  return std::accumulate(found.begin(), found.end(), std::int64_t{0});
}

bench::reading queens_board(bench::effort e) {
  const int n = bench::queens_size(e);
  const unsigned char none[16] = {};
  const bench::stopwatch watch;
  const std::int64_t value = queens(n, 0, none);
  bench::reading r = watch.ns_per_item(1);
  r.value = r.wall_s * 1e3;
  r.unit = "ms";
  bench::check_equal("the number of solutions", value, bench::queens_value(n));
  return r;
}

const bool fib_listed = bench::add("oneTBB", "fork_join.fib", fib_board);
const bool skynet_listed = bench::add("oneTBB", "fork_join.skynet", skynet_board);
const bool queens_listed = bench::add("oneTBB", "fork_join.queens", queens_board);

}  // namespace
