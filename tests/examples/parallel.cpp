// prints: 78498 primes below a million
#include <sluice/sluice.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <vector>

// Plain functions in parallel on the workers' stacks: no coroutine, no cut-off.
void sort(std::vector<int>::iterator first, std::vector<int>::iterator last) {
  if (last - first < 64) return std::sort(first, last);
  const auto middle = first + (last - first) / 2;
  sluice::fork_join([=] { sort(first, middle); }, [=] { sort(middle, last); });
  std::vector<int> merged(static_cast<std::size_t>(last - first));
  std::merge(first, middle, middle, last, merged.begin());
  std::copy(merged.begin(), merged.end(), first);
}

sluice::task<int> count_primes(int below) {
  std::vector<std::atomic<bool>> composite(static_cast<std::size_t>(below));
  for (int p = 2; p * p < below; ++p) {
    if (composite[static_cast<std::size_t>(p)]) continue;
    sluice::parallel_for(p, (below + p - 1) / p, [&, p](int i) { composite[static_cast<std::size_t>(i * p)] = true; });
  }
  std::vector<int> primes;
  for (int i = below - 1; i > 1; --i) {
    if (!composite[static_cast<std::size_t>(i)]) primes.push_back(i);
  }
  sort(primes.begin(), primes.end());
  co_return std::is_sorted(primes.begin(), primes.end()) ? static_cast<int>(primes.size()) : -1;
}

int main() { std::printf("%d primes below a million\n", sluice::run(count_primes(1'000'000))); }
