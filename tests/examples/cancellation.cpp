// prints: a task that is cancelled stops at its next wait
// prints: the worker cleaned up
// prints: joined: cancelled
#include <sluice/sluice.hpp>

#include <cstdio>

sluice::task<> worker(sluice::event& started) {
  started.set();
  try {
    co_await sluice::sleep_for(std::chrono::hours(1));
  } catch (const sluice::cancelled&) {
    std::puts("the worker cleaned up");
    throw;
  }
}

sluice::task<> program() {
  std::puts("a task that is cancelled stops at its next wait");
  sluice::event started;
  auto handle = sluice::spawn(worker(started));
  co_await started.wait();
  handle.cancel();
  try {
    co_await handle;
  } catch (const sluice::cancelled&) {
    std::puts("joined: cancelled");
  }
}

int main() { sluice::run(program()); }
