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

sluice::task<std::int64_t> skynet(std::int64_t first, int depth) {
  if (depth == 0) co_return first;
  const std::int64_t width = bench::skynet_leaves(depth - 1);
  const auto child = [&](int i) { return skynet(first + i * width, depth - 1); };
  auto sums = co_await sluice::when_all(child(0), child(1), child(2), child(3), child(4), child(5), child(6), child(7),
                                        child(8), child(9));
  co_return std::apply([](auto... sum) { return (sum + ...); }, sums);
}

bench::reading skynet_board(bench::effort e) {
  const int depth = bench::skynet_depth(e);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  const std::int64_t value = runtime.block_on(skynet(0, depth));
  bench::reading r = watch.ns_per_item(bench::skynet_tasks(depth));
  bench::check_equal("the sum of the leaves", value, bench::sum_to(bench::skynet_leaves(depth) - 1));
  return r;
}

using columns = std::array<unsigned char, 16>;

sluice::task<std::int64_t> queens(int n, int row, columns placed) {
  if (row == n) co_return 1;
  std::vector<sluice::task<std::int64_t>> children;
  children.reserve(static_cast<std::size_t>(n));
  for (int column = 0; column < n; ++column) {
    if (!bench::queen_fits(placed.data(), row, column)) continue;
    columns next = placed;
    next[static_cast<std::size_t>(row)] = static_cast<unsigned char>(column);
    children.push_back(queens(n, row + 1, next));
  }
  const std::vector<std::int64_t> found = co_await sluice::when_all(std::move(children));
  co_return std::accumulate(found.begin(), found.end(), std::int64_t{0});
}

bench::reading queens_board(bench::effort e) {
  const int n = bench::queens_size(e);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  const std::int64_t value = runtime.block_on(queens(n, 0, columns{}));
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
