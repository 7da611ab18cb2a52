// The boards of plain functions on oneTBB: parallel_invoke and parallel_for.

#include "../native.hpp"

#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>

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

bench::reading loop_board(bench::effort e) {
  return bench::loop_board(e, [](std::vector<std::uint32_t>& out) {
    tbb::parallel_for(std::size_t{0}, out.size(),
                      [&](std::size_t i) { out[i] = bench::loop_round(static_cast<std::uint32_t>(i)); });
  });
}

const bool fib_listed = bench::add("oneTBB", "native.fib", fib_board);
const bool matmul_listed = bench::add("oneTBB", "native.matmul", matmul_board);
const bool loop_listed = bench::add("oneTBB", "native.loop", loop_board);

}  // namespace
