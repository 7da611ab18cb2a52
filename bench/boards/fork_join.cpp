// Recursive fork-join without a cut-off: every call is a task.

#include "shared_runtime.hpp"

#include <array>
#include <numeric>

namespace {

sluice::task<std::int64_t> fib(int n) {
  if (n < 2) co_return n;
  auto both = co_await sluice::when_all(fib(n - 1), fib(n - 2));
  co_return std::get<0>(both) + std::get<1>(both);
}

bench::reading fib_board(bench::effort e) {
  const int n = bench::fib_size(e);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  const std::int64_t value = runtime.block_on(fib(n));
  bench::reading r = watch.ns_per_item(bench::fib_calls(n));
  bench::check_equal("fib(n)", value, bench::fib_value(n));
  return r;
}

sluice::task<> skynet(std::int64_t first, int depth, std::int64_t& sum) {
  if (depth == 0) {
    sum = first;
    co_return;
  }
  const std::int64_t width = bench::skynet_leaves(depth - 1);
  std::array<std::int64_t, 10> sums;
  const auto child = [&](std::size_t i) {
    return skynet(first + static_cast<std::int64_t>(i) * width, depth - 1, sums[i]);
  };
  co_await sluice::when_all(std::size_t{0}, sums.size(), child);
  sum = std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
}

bench::reading skynet_board(bench::effort e) {
  const int depth = bench::skynet_depth(e);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  std::int64_t value = 0;
  runtime.block_on(skynet(0, depth, value));
  bench::reading r = watch.ns_per_item(bench::skynet_tasks(depth));
  bench::check_equal("the sum of the leaves", value, bench::sum_to(bench::skynet_leaves(depth) - 1));
  return r;
}

using columns = std::array<unsigned char, 16>;

sluice::task<> queens(int n, int row, columns placed, std::int64_t& solutions) {
  if (row == n) {
    solutions = 1;
    co_return;
  }
  columns fitting;
  std::size_t places = 0;
  for (int column = 0; column < n; ++column) {
    if (bench::queen_fits(placed.data(), row, column)) fitting[places++] = static_cast<unsigned char>(column);
  }
  std::array<std::int64_t, 16> found;
  const auto child = [&](std::size_t i) {
    placed[static_cast<std::size_t>(row)] = fitting[i];  // each task has a copy of its own
    return queens(n, row + 1, placed, found[i]);
  };
  co_await sluice::when_all(std::size_t{0}, places, child);
  solutions = std::accumulate(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(places), std::int64_t{0});
}

bench::reading queens_board(bench::effort e) {
  const int n = bench::queens_size(e);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  std::int64_t value = 0;
  runtime.block_on(queens(n, 0, columns{}, value));
  bench::reading r = watch.ns_per_item(1);
  r.value = r.wall_s * 1e3;
  r.unit = "ms";
  bench::check_equal("the number of solutions", value, bench::queens_value(n));
  return r;
}

const bool listed = bench::add("sluice", "fork_join.fib", fib_board) &&
                    bench::add("sluice", "fork_join.skynet", skynet_board) &&
                    bench::add("sluice", "fork_join.queens", queens_board);

}  // namespace
