// The ground floor alone: a program that links sluice::queues and no scheduler.

#include <sluice/queues/atomic.hpp>
#include <sluice/queues/errors.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>

int main() {
  sluice::impl::atomic<std::uint32_t> word{1};
  const auto deadline = sluice::impl::now() + std::chrono::milliseconds(1);
  while (sluice::impl::futex::wait_until(word, 1, deadline)) {
  }
  std::printf("%s\n", sluice::timed_out().what());
}
