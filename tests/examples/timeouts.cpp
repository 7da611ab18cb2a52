// prints: too late
// prints: in time: 7
// prints: the shielded task finished
#include <sluice/sluice.hpp>

#include <cstdio>

using namespace std::chrono_literals;

sluice::task<int> answer_after(std::chrono::milliseconds delay) {
  co_await sluice::sleep_for(delay);
  co_return 7;
}
sluice::task<> commit() {
  co_await sluice::sleep_for(5ms);
  std::puts("the shielded task finished");
}

sluice::task<> program() {
  try {
    (void)co_await sluice::timeout(1ms, answer_after(1h));
  } catch (const sluice::timed_out&) {
    std::puts("too late");
  }
  const int answer = co_await sluice::timeout(1h, answer_after(1ms));
  std::printf("in time: %d\n", answer);
  co_await sluice::timeout(1ms, sluice::shield(commit()));  // the time cannot reach it
}

int main() { sluice::run(program()); }
