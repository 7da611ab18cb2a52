// Plain functions in parallel on the workers' stacks.

#include "../native.hpp"
#include "shared_runtime.hpp"

#include <numeric>

namespace {

// Runs `work` in a task and gives what it returns.
template <class Work>
auto on_worker(Work work) {
  auto program = [&]() -> sluice::task<decltype(work())> { co_return work(); };
  return bench::shared_runtime().block_on(program());
}

std::int64_t fib(int n) {
  if (n < 2) return n;
  const auto [a, b] = sluice::fork_join([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
  return a + b;
}

bench::reading fib_board(bench::effort e) {
  const int n = bench::fib_size(e);
  (void)bench::shared_runtime();
  const bench::stopwatch watch;
  const std::int64_t value = on_worker([n] { return fib(n); });
  bench::reading r = watch.ns_per_item(bench::fib_calls(n));
  bench::check_equal("fib(n)", value, bench::fib_value(n));
  return r;
}

bench::reading matmul_board(bench::effort e) {
  return on_worker([e] {
    return bench::matmul_board(e, [](bench::matrices& m, bench::block whole) {
      bench::multiply(m, whole, [](auto f, auto g) { sluice::fork_join(f, g); });
    });
  });
}

std::int64_t skynet(std::int64_t first, int depth) {
  if (depth == 0) return first;
  std::array<std::int64_t, 10> sums;
  const std::int64_t width = bench::skynet_leaves(depth - 1);
  sluice::parallel_for(
      std::size_t{0}, sums.size(),
      [&](std::size_t i) { sums[i] = skynet(first + static_cast<std::int64_t>(i) * width, depth - 1); }, 1);
  return std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
}

bench::reading skynet_board(bench::effort e) {
  (void)bench::shared_runtime();
  return bench::skynet_board(e, [](int depth) { return on_worker([depth] { return skynet(0, depth); }); });
}

bench::reading queens_board(bench::effort e) {
  (void)bench::shared_runtime();
  return bench::queens_board(e, [](int n) {
    return on_worker([n] { return bench::queens_from(n, 0, 0, {}, [](auto f, auto g) { sluice::fork_join(f, g); }); });
  });
}

bench::reading loop_board(bench::effort e) {
  return on_worker([e] {
    return bench::loop_board(e, [](std::vector<std::uint32_t>& out) {
      sluice::parallel_for(std::size_t{0}, out.size(),
                           [&](std::size_t i) { out[i] = bench::loop_round(static_cast<std::uint32_t>(i)); });
    });
  });
}

const bool listed =
    bench::add("sluice", "native.fib", fib_board) && bench::add("sluice", "native.skynet", skynet_board) &&
    bench::add("sluice", "native.queens", queens_board) && bench::add("sluice", "native.matmul", matmul_board) &&
    bench::add("sluice", "native.loop", loop_board);

}  // namespace
