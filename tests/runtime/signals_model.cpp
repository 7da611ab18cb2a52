// models: runtime/signals.hpp runtime/signal_counts.hpp
// The handler and the watcher: a signal that arrives just as the watcher goes to sleep is not forgotten.
#include <sluice/model/program.hpp>
#include <sluice/runtime/signal_counts.hpp>

namespace {

using namespace sluice::impl;

struct state {
  signal_counts counts;
  std::uint32_t given = 0;

  void watch(std::uint32_t all) {
    while (given < all) {
      const std::uint32_t seen = counts.collect([this](std::size_t, std::uint32_t n) { given += n; });
      if (given < all) counts.sleep(seen);
    }
  }
};

void two_signals(model::run& r) {
  auto& s = r.make<state>();
  r.thread("watcher", [&s] { s.watch(2); });
  r.thread("handler", [&s] { s.counts.arrive(1); });
  r.thread("handler", [&s] { s.counts.arrive(2); });
  r.finally([&s] { model::check(s.given == 2, "Each signal is given once."); });
}

void the_same_again(model::run& r) {
  auto& s = r.make<state>();
  r.thread("watcher", [&s] { s.watch(3); });
  r.thread("handler", [&s] {
    s.counts.arrive(1);
    s.counts.arrive(1);
  });
  r.thread("handler", [&s] { s.counts.arrive(2); });
  r.finally([&s] { model::check(s.given == 3, "Each signal is given once."); });
}

const model::program two{"signals: two arrive while the watcher goes to sleep", {}, two_signals};
const model::program again{"signals: one arrives again while it is handed on", {}, the_same_again};

}  // namespace
