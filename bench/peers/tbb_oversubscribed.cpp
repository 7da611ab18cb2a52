// Many more threads than processors on oneTBB: an arena of so many, and leave to have them.

#include "../crowd.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

namespace {

std::int64_t fib(int n) {
  if (n < 2) return n;
  std::int64_t a = 0;
  tbb::task_group group;
  group.run([&a, n] { a = fib(n - 1); });
  const std::int64_t b = fib(n - 2);
  group.wait();
  return a + b;
}

bench::reading fib_board(bench::effort e) {
  const int n = bench::crowd_fib_size(e);
  static tbb::task_arena matching(static_cast<int>(bench::processors()));
  static tbb::task_arena crowd(static_cast<int>(bench::crowd));
  return bench::race_crowd(e, bench::fib_calls(n), [n](bool crowded) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                    crowded ? bench::crowd : bench::processors());
    std::int64_t value = 0;
    (crowded ? crowd : matching).execute([&value, n] { value = fib(n); });
    bench::check_equal("fib(n)", value, bench::fib_value(n));
  });
}

const bool listed = bench::add("oneTBB", "oversubscribed.fib", fib_board);

}  // namespace
