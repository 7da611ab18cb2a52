// Plain functions in parallel on the workers' stacks.

#include "../native.hpp"
#include "shared_runtime.hpp"

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
  (void)bench::shared_runtime();
  return bench::matmul_board(e, [](bench::matrices& m, bench::block whole) {
    on_worker([&] {
      bench::multiply(m, whole, [](auto f, auto g) { sluice::fork_join(f, g); });
      return true;
    });
  });
}

bench::reading loop_board(bench::effort e) {
  (void)bench::shared_runtime();
  return bench::loop_board(e, [](std::vector<std::uint32_t>& out) {
    on_worker([&] {
      sluice::parallel_for(std::size_t{0}, out.size(),
                           [&](std::size_t i) { out[i] = bench::loop_round(static_cast<std::uint32_t>(i)); });
      return true;
    });
  });
}

const bool listed = bench::add("sluice", "native.fib", fib_board) &&
                    bench::add("sluice", "native.matmul", matmul_board) &&
                    bench::add("sluice", "native.loop", loop_board);

}  // namespace
