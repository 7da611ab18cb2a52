#pragma once
// What a signal handler leaves for the watcher thread: how often each signal came, and one word to sleep on.
//
// I1  A signal that is counted is collected once: by the round that runs, or by the next one, which sleep() does not delay.
// E1  arrive: the count, then arrivals (release) -> collect: arrivals (acquire), then the counts.
// E2  the count (release) -> collect (acquire): what the thread did that raised the signal; E1 is not enough, for a round may
//     find a count whose arrivals it has not seen.

#include <sluice/queues/atomic.hpp>

#include <array>
#include <cstddef>

namespace sluice::impl {

inline constexpr int most_signals = model_build ? 3 : 65;

class signal_counts {
 public:
  /// Async-signal-safe.
  void arrive(int number) noexcept {
    counts_[static_cast<std::size_t>(number)].fetch_add(1, release);  // E2 publish
    arrivals_.fetch_add(1, release);                                  // E1 publish
    futex::wake(arrivals_, 1);
  }

  /// The watcher: calls each(number, n) for every signal that came n times. Returns what sleep() wants to know.
  template <class Each>
  std::uint32_t collect(Each&& each) noexcept {
    const std::uint32_t seen = arrivals_.load(acquire);  // E1 observe
    for (std::size_t i = 1; i < counts_.size(); ++i) {
      const std::uint32_t n = counts_[i].exchange(0, acquire);  // E2 observe; one that is missed here changes arrivals
      if (n != 0) each(i, n);
    }
    return seen;
  }
  /// The watcher: sleeps unless a signal has come since that collect().
  void sleep(std::uint32_t seen) noexcept { futex::wait(arrivals_, seen); }

 private:
  // signals not yet handed on; added by the handler, taken by the watcher
  std::array<atomic<std::uint32_t>, most_signals> counts_{};
  atomic<std::uint32_t> arrivals_{0};  // changes with each signal: what the watcher sleeps on
};

}  // namespace sluice::impl
