// The boards of plain functions on oneTBB: parallel_invoke and parallel_for.

#include "../native.hpp"

#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>

#include <numeric>

namespace {

std::int64_t fib(int n) {
  if (n < 2) return n;
  std::int64_t a = 0, b = 0;
  tbb::parallel_invoke([&a, n] { a = fib(n - 1); }, [&b, n] { b = fib(n - 2); });
  return a + b;
}

bench::reading fib_board(bench::effort e) {
  const int n = bench::fib_size(e);
  const bench::stopwatch watch;
  const std::int64_t value = fib(n);
  bench::reading r = watch.ns_per_item(bench::fib_calls(n));
  bench::check_equal("fib(n)", value, bench::fib_value(n));
  return r;
}

bench::reading matmul_board(bench::effort e) {
  return bench::matmul_board(e, [](bench::matrices& m, bench::block whole) {
    bench::multiply(m, whole, [](auto f, auto g) { tbb::parallel_invoke(f, g); });
  });
}

std::int64_t skynet(std::int64_t first, int depth) {
  if (depth == 0) return first;
  std::array<std::int64_t, 10> sums;
  const std::int64_t width = bench::skynet_leaves(depth - 1);
  tbb::parallel_for(std::size_t{0}, sums.size(),
                    [&](std::size_t i) { sums[i] = skynet(first + static_cast<std::int64_t>(i) * width, depth - 1); });
  return std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
}

bench::reading skynet_board(bench::effort e) {
  return bench::skynet_board(e, [](int depth) { return skynet(0, depth); });
}

bench::reading queens_board(bench::effort e) {
  return bench::queens_board(
      e, [](int n) { return bench::queens_from(n, 0, 0, {}, [](auto f, auto g) { tbb::parallel_invoke(f, g); }); });
}

bench::reading loop_board(bench::effort e) {
  return bench::loop_board(e, [](std::vector<std::uint32_t>& out) {
    tbb::parallel_for(std::size_t{0}, out.size(),
                      [&](std::size_t i) { out[i] = bench::loop_round(static_cast<std::uint32_t>(i)); });
  });
}

const bool fib_listed = bench::add("oneTBB", "native.fib", fib_board);
const bool skynet_listed = bench::add("oneTBB", "native.skynet", skynet_board);
const bool queens_listed = bench::add("oneTBB", "native.queens", queens_board);
const bool matmul_listed = bench::add("oneTBB", "native.matmul", matmul_board);
const bool loop_listed = bench::add("oneTBB", "native.loop", loop_board);

}  // namespace
