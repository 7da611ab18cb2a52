// prints: a day passed in no time
// prints: the same seed, the same run: yes
#include <sluice/sluice.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

// A service under test: in a simulation its hours pass at once, and its interleavings come from a seed.
std::string history(unsigned long seed) {
  sluice::runtime_options options;
  options.workers = 4;
  options.simulation = seed;
  sluice::runtime runtime(options);
  std::string order;
  auto service = [&order]() -> sluice::task<> {
    auto body = [&order](sluice::task_group& group) -> sluice::task<> {
      for (char name = 'a'; name <= 'e'; ++name) {
        group.spawn(
            [&order](char who) -> sluice::task<> {
              co_await sluice::sleep_for(24h);
              order += who;
            },
            name);
      }
      co_return;
    };
    co_await sluice::with_group(body);
  };
  runtime.block_on(service());
  return order;
}

int main() {
  const std::string once = history(42);
  if (once.size() == 5) std::puts("a day passed in no time");
  std::printf("the same seed, the same run: %s\n", once == history(42) ? "yes" : "no");
}
