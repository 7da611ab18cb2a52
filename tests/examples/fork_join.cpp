// prints: fib(20) = 6765
// prints: queens(8) = 92
#include <sluice/sluice.hpp>

#include <array>
#include <cstdio>
#include <numeric>

// Two tasks, made here. Nothing is copied to a queue, and no cut-off is needed.
sluice::task<long> fib(int n) {
  if (n < 2) co_return n;
  const auto both = co_await sluice::when_all(fib(n - 1), fib(n - 2));
  co_return std::get<0>(both) + std::get<1>(both);
}

using board = std::array<int, 8>;  // the column of the queen in each row

bool fits(const board& placed, int row, int column) {
  for (int other = 0; other < row; ++other) {
    const int distance = column - placed[static_cast<std::size_t>(other)];
    if (distance == 0 || distance == row - other || distance == other - row) return false;
  }
  return true;
}

// A range of tasks, each made when it is to begin.
sluice::task<long> queens(board placed, int row) {
  if (row == 8) co_return 1;
  const auto next = [&](int column) -> sluice::task<long> {
    if (!fits(placed, row, column)) co_return 0;
    board more = placed;
    more[static_cast<std::size_t>(row)] = column;
    co_return co_await queens(more, row + 1);
  };
  const std::vector<long> solutions = co_await sluice::when_all(0, 8, next);
  co_return std::accumulate(solutions.begin(), solutions.end(), 0l);
}

int main() {
  std::printf("fib(20) = %ld\n", sluice::run(fib(20)));
  std::printf("queens(8) = %ld\n", sluice::run(queens(board{}, 0)));
}
