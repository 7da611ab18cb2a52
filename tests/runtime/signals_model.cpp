// models: runtime/signals.hpp runtime/signals.cpp
// The handler and the watcher: a signal that arrives just as the watcher goes to sleep is not forgotten.
#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

namespace {

using namespace sluice::impl;

struct state {
  atomic<std::uint32_t> counts[2];
  atomic<std::uint32_t> arrivals{0};
  std::uint32_t given = 0;

  // The steps of the handler in signals.cpp.
  void arrive(int number) {
    counts[number].fetch_add(1, relaxed);
    arrivals.fetch_add(1, release);
    futex::wake(arrivals, 1);
  }
  // One round of watch::run.
  void watch() {
    const std::uint32_t seen = arrivals.load(acquire);
    for (auto& count : counts) given += count.exchange(0, relaxed);
    if (given < 2) futex::wait(arrivals, seen);
  }
};

void two_signals(model::run& r) {
  auto& s = r.make<state>();
  r.thread("watcher", [&s] {
    while (s.given < 2) s.watch();
  });
  r.thread("handler", [&s] { s.arrive(0); });
  r.thread("handler", [&s] { s.arrive(1); });
}

const model::program signals{"signals: two arrive while the watcher goes to sleep", {}, two_signals};

}  // namespace
