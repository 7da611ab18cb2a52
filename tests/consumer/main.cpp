// What somebody writes who has sluice installed: one include, tasks, a queue, a runtime. One task awaits another, so that
// control passes between frames of this program and a worker loop that perhaps another compiler made.

#include <sluice/sluice.hpp>

#include <cstdio>

namespace {

sluice::task<> count_up(sluice::queue<int>& numbers, int count) {
  for (int i = 0; i < count; ++i) co_await numbers.put(int{i});
  numbers.close();
}

sluice::task<long> square(int n) {
  co_await sluice::yield();
  co_return long{n} * n;
}

sluice::task<long> sum() {
  sluice::queue<int> numbers{4};
  auto counting = sluice::spawn(count_up(numbers, 50));
  long total = 0;
  while (auto number = co_await numbers.next()) total += co_await square(*number);
  co_await counting;
  co_return total;
}

}  // namespace

int main() {
  const long total = sluice::run(sum());
  std::printf("%ld\n", total);
  return total == 40425 ? 0 : 1;
}
