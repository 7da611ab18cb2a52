// Many more threads than processors on oneTBB: an arena of so many, and leave to have them.

#include "../crowd.hpp"
#include "tbb_fib.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

namespace {

bench::reading fib_board(bench::effort e) {
  const int n = bench::crowd_fib_size(e);
  static tbb::task_arena matching(static_cast<int>(bench::processors()));
  static tbb::task_arena crowd(static_cast<int>(bench::crowd));
  return bench::race_crowd(e, bench::fib_calls(n), [n](bool crowded) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                    crowded ? bench::crowd : bench::processors());
    std::int64_t value = 0;
    (crowded ? crowd : matching).execute([&value, n] { value = bench::tbb_fib(n); });
    bench::check_equal("fib(n)", value, bench::fib_value(n));
  });
}

const bool listed = bench::add("oneTBB", "oversubscribed.fib", fib_board);

}  // namespace
