#pragma once
// What the boards of plain functions compute; only how it is done in parallel is the contender's. The product of two square
// matrices goes by divide and conquer: the larger side is halved until a block fits into the cache.

#include "sizes.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace bench {

struct matrices {
  explicit matrices(std::size_t size) : n(size), a(size * size), b(size * size), c(size * size) {
    for (std::size_t i = 0; i < size * size; ++i) {
      a[i] = static_cast<float>(i % 7) - 3;  // small integers: the sums are exact
      b[i] = static_cast<float>(i % 5) - 2;
    }
  }
  std::size_t n;
  std::vector<float> a, b, c;
};

struct block {
  std::size_t row, column, rows, columns;
};

/// One function for all contenders: inlined, each would have it at a place of its own, which alone makes some per cent.
[[gnu::noinline]] inline void multiply_block(matrices& m, block k) {
  for (std::size_t inner = 0; inner < m.n; inner += 64) {
    for (std::size_t i = k.row; i < k.row + k.rows; ++i) {
      for (std::size_t p = inner; p < inner + 64; ++p) {
        const float factor = m.a[i * m.n + p];
        for (std::size_t j = k.column; j < k.column + k.columns; ++j) m.c[i * m.n + j] += factor * m.b[p * m.n + j];
      }
    }
  }
}

template <class Both>
void multiply(matrices& m, block k, const Both& both) {
  if (k.rows <= 64 && k.columns <= 64) return multiply_block(m, k);
  block first = k, second = k;
  if (k.rows >= k.columns) {
    first.rows = second.rows = k.rows / 2;
    second.row += first.rows;
  } else {
    first.columns = second.columns = k.columns / 2;
    second.column += first.columns;
  }
  both([&] { multiply(m, first, both); }, [&] { multiply(m, second, both); });
}

/// So many products one after another, and loops likewise: one alone is over before the kernel has placed the threads that it wakes.
inline constexpr int products = 4;
inline constexpr long loops = 10;

/// Runs `multiply_all(m, whole)`, which adds the product to what is there, and checks a row and a column of the sum.
template <class MultiplyAll>
reading matmul_board(effort e, MultiplyAll multiply_all) {
  matrices m(e == effort::full ? 1024 : e == effort::quick ? 512 : 128);
  const stopwatch watch;
  const auto start = std::chrono::steady_clock::now();
  multiply_all(m, block{0, 0, m.n, m.n});
  const std::chrono::duration<double, std::milli> first = std::chrono::steady_clock::now() - start;
  for (int i = 1; i < products; ++i) multiply_all(m, block{0, 0, m.n, m.n});
  reading r = watch.ns_per_item(products);
  r.value = r.wall_s * 1e3 / products;
  r.unit = "ms";
  r.extra = {{"first_ms", first.count()}};
  const auto cell = [&](std::size_t i, std::size_t j) {
    float sum = 0;
    for (std::size_t p = 0; p < m.n; ++p) sum += m.a[i * m.n + p] * m.b[p * m.n + j];
    return sum * products;
  };
  std::int64_t wrong = 0;
  for (std::size_t k = 0; k < m.n; ++k) {
    wrong += (m.c[k * m.n + 3] != cell(k, 3)) + (m.c[(m.n - 1) * m.n + k] != cell(m.n - 1, k));
  }
  check_equal("the number of wrong cells", wrong, 0);
  return r;
}

/// Runs `tree(depth)`, which adds up the leaves of a tree with ten children each, and checks the sum.
template <class Tree>
reading skynet_board(effort e, Tree tree) {
  const int depth = skynet_depth(e);
  const stopwatch watch;
  const std::int64_t value = tree(depth);
  const reading r = watch.ns_per_item(skynet_tasks(depth));
  check_equal("the sum of the leaves", value, sum_to(skynet_leaves(depth) - 1));
  return r;
}

using queens_row = std::array<unsigned char, 16>;

/// Runs `solve(n)` and checks the number of solutions.
template <class Solve>
reading queens_board(effort e, Solve solve) {
  const int n = queens_size(e);
  const stopwatch watch;
  const std::int64_t value = solve(n);
  reading r = watch.ns_per_item(1);
  r.value = r.wall_s * 1e3;
  r.unit = "ms";
  check_equal("the number of solutions", value, queens_value(n));
  return r;
}

/// The queens' puzzle from `column` of `row` on: what follows from the first place that is free beside what the other places give.
template <class Both>
std::int64_t queens_from(int n, int row, int column, const queens_row& placed, const Both& both) {
  if (row == n) return 1;
  while (column < n && !queen_fits(placed.data(), row, column)) ++column;
  if (column == n) return 0;
  queens_row next = placed;
  next[static_cast<std::size_t>(row)] = static_cast<unsigned char>(column);
  std::int64_t here = 0, others = 0;
  both([&] { here = queens_from(n, row + 1, 0, next, both); },
       [&] { others = queens_from(n, row, column + 1, placed, both); });
  return here + others;
}

inline long loop_rounds(effort e) { return e == effort::full ? 20'000'000 : e == effort::quick ? 4'000'000 : 100'000; }
/// A round of the loop board: 12 to 27 multiplications that depend on each other. One function for all contenders, as above.
[[gnu::noinline]] inline std::uint32_t loop_round(std::uint32_t i) {
  std::uint32_t x = i;
  for (std::uint32_t k = 0; k < 12 + (i >> 8) % 16; ++k) x = x * 1664525 + 1013904223;
  return x;
}

template <class Loop>
reading loop_board(effort e, Loop loop) {
  std::vector<std::uint32_t> out(static_cast<std::size_t>(loop_rounds(e)));
  const stopwatch watch;
  const auto start = std::chrono::steady_clock::now();
  loop(out);
  const std::chrono::duration<double, std::nano> first = std::chrono::steady_clock::now() - start;
  for (long i = 1; i < loops; ++i) loop(out);
  reading r = watch.ns_per_item(loops * loop_rounds(e));
  r.extra = {{"first_ns", first.count() / static_cast<double>(loop_rounds(e))}};
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < out.size(); ++i) wrong += out[i] != loop_round(static_cast<std::uint32_t>(i));
  check_equal("the number of wrong rounds", wrong, 0);
  return r;
}

}  // namespace bench
