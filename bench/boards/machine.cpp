// What the machine itself costs, so that absolute figures of two machines can be scaled against each other.

#include "../harness.hpp"

#include <atomic>
#include <thread>

namespace {

/// One locked read-modify-write on a line that no other core has.
bench::reading locked_rmw(bench::effort e) {
  const long rounds = bench::scaled(e, 50'000'000);
  alignas(128) std::atomic<long> word{0};
  const bench::stopwatch watch;
  for (long i = 0; i < rounds; ++i) word.fetch_add(1, std::memory_order_relaxed);
  bench::reading r = watch.ns_per_item(rounds);
  r.value = r.cpu_s / r.items * 1e9;  // what others take of this processor is no part of it
  bench::check_equal("the word", word.load(), rounds);
  return r;
}

/// One way of a cache line between two threads that spin.
bench::reading line_transfer(bench::effort e) {
  const long rounds = bench::scaled(e, 2'000'000);
  alignas(128) std::atomic<long> ball{0};
  const bench::stopwatch watch;
  std::thread other([&] {
    for (long i = 0; i < rounds; ++i) {
      while (ball.load(std::memory_order_acquire) != 2 * i + 1) {
      }
      ball.store(2 * i + 2, std::memory_order_release);
    }
  });
  for (long i = 0; i < rounds; ++i) {
    ball.store(2 * i + 1, std::memory_order_release);
    while (ball.load(std::memory_order_acquire) != 2 * i + 2) {
    }
  }
  other.join();
  bench::reading r = watch.ns_per_item(2 * rounds);
  bench::check_equal("the ball", ball.load(), 2 * rounds);
  return r;
}

const bool rmw_listed = bench::add("machine", "locked_rmw", locked_rmw);
// On a single processor two spinning threads would measure the kernel's time slice.
const bool line_listed = bench::processors() > 1 && bench::add("machine", "line_transfer", line_transfer);

}  // namespace
