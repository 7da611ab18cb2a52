#pragma once
// fib(n) on oneTBB: no cut-off, every call forks.

#include <tbb/task_group.h>

#include <cstdint>

namespace bench {

inline std::int64_t tbb_fib(int n) {
  if (n < 2) return n;
  std::int64_t a = 0;
  tbb::task_group group;
  group.run([&a, n] { a = tbb_fib(n - 1); });
  const std::int64_t b = tbb_fib(n - 2);
  group.wait();
  return a + b;
}

}  // namespace bench
