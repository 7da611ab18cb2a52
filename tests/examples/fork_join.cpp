// prints: fib(20) = 6765
#include <sluice/sluice.hpp>

#include <cstdio>

sluice::task<long> fib(int n) {
  if (n < 2) co_return n;
  const auto both = co_await sluice::when_all(fib(n - 1), fib(n - 2));
  co_return std::get<0>(both) + std::get<1>(both);
}

int main() { std::printf("fib(20) = %ld\n", sluice::run(fib(20))); }
