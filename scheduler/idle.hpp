#pragma once
// Who sleeps and who searches: so that work never coexists with a sleeping worker, and at most one worker at a time is woken
// to search.
//
//             found work                        announce_sleep
//   running <------------- searching -----------------------------> asleep
//      |                      ^  ^                                   |  |
//      |   begin_search       |  +--------- wake_one (a publisher) --+  |
//      +----------------------+                                         |
//      ^------------- leave_sleep: deadline, or work seen after all ----+
//
// A publisher publishes, then looks at the word: if somebody sleeps and nobody searches, it makes one sleeper a searcher. A
// worker announces its sleep in the word, then looks at every source once more, then parks. A searcher that found work and
// was the last one looks again likewise, because publishers may have relied on it.
//
// I1  A worker's bit in `asleep` is set before it is counted as sleeping. Who clears the bit, a waker or the worker itself,
//     takes it out of the count; a waker also gives it one of the searchers' places, taken before.
// I2  A waker that has taken a searcher's place and finds no bit gives the place back and begins again if anybody sleeps: other
//     publishers may have relied on that place.
// D1  a publisher writes its source (seq_cst), then loads the word (seq_cst); a sleeper, or the last searcher to leave, changes
//     the word (seq_cst), then loads each source (seq_cst). One of the two sees the other. The sources name their halves.
// E1  announce_sleep (release) -> wake_one (acquire): who is counted has its bit set.
// E2  a waker clears the bit (release) -> leave_sleep (acquire): what the waker published is visible to who wakes by itself.

#include <sluice/queues/atomic.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::impl {

class idle_state {
 public:
  explicit idle_state(std::size_t workers)
      : groups_((workers + 63) / 64),
        asleep_(new atomic<std::uint64_t>[groups_]),
        most_(workers > 3 ? workers / 2 : 1) {}

  /// A publisher's cheap look: somebody sleeps and nobody searches.
  bool worth_waking() const noexcept { return worth_waking(word_.load(relaxed)); }  // relaxed: a hint, see the callers
  /// The look that counts, after publishing.
  bool must_wake() const noexcept { return worth_waking(word_.load(seq_cst)); }           // D1 load
  bool anybody_sleeps() const noexcept { return sleeping_of(word_.load(seq_cst)) != 0; }  // D1 load

  /// Makes one sleeper a searcher and returns its number, for the caller to unpark; or `nobody`.
  // seq_cst is more than its first two accesses need where the caller has asked must_wake(): their orders survive mutation.
  static constexpr std::size_t nobody = ~std::size_t{0};
  std::size_t wake_one() noexcept {
    std::uint64_t seen = word_.load(seq_cst);  // D1 load, E1 observe
    for (;;) {
      if (!worth_waking(seen)) return nobody;
      if (!word_.compare_exchange_weak(seen, seen + one_searching, seq_cst, seq_cst)) continue;  // E1 observe
      const std::size_t worker = clear_any_bit();
      if (worker != nobody) {
        word_.fetch_sub(one_sleeping, relaxed);  // relaxed: only a count; I1
        return worker;
      }
      seen = word_.fetch_sub(one_searching, seq_cst) - one_searching;  // I2, D1 store
      if (worth_waking(seen)) yield_thread();                          // somebody is just leaving, or has just come
    }
  }

  /// A worker without work. False: enough others search.
  bool begin_search() noexcept {
    std::uint64_t seen = word_.load(relaxed);  // relaxed: the exchange decides
    do {
      if (searching_of(seen) >= most_) return false;
    } while (
        !word_.compare_exchange_weak(seen, seen + one_searching, relaxed, relaxed));  // relaxed: claims nothing yet
    return true;
  }

  /// A searcher found work. True: it was the last, and must look at every source again.
  bool end_search() noexcept { return searching_of(word_.fetch_sub(one_searching, seq_cst)) == 1; }  // D1 store

  /// The worker is about to sleep: afterwards it looks at every source, then parks.
  void announce_sleep(std::size_t worker, bool searching) noexcept {
    asleep_[worker / 64].fetch_or(bit(worker), release);                       // E1 publish
    word_.fetch_add(one_sleeping - (searching ? one_searching : 0), seq_cst);  // D1 store, E1 publish
  }

  /// The worker is awake, for whatever reason. True: a waker has made it a searcher. False: it runs, and is counted as neither.
  bool leave_sleep(std::size_t worker) noexcept {
    // E2 observe
    if ((asleep_[worker / 64].fetch_and(~bit(worker), acquire) & bit(worker)) == 0) return true;
    word_.fetch_sub(one_sleeping, relaxed);  // relaxed: only a count; I1
    return false;
  }

  /// Some worker that sleeps, without waking it: a hint.
  std::size_t any_sleeper() const noexcept {
    for (std::size_t g = 0; g < groups_; ++g) {
      const std::uint64_t bits = asleep_[g].load(relaxed);  // relaxed: a hint
      if (bits != 0) return g * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
    }
    return nobody;
  }

  std::uint32_t sleeping() const noexcept { return sleeping_of(word_.load(relaxed)); }    // relaxed: for dumps
  std::uint32_t searching() const noexcept { return searching_of(word_.load(relaxed)); }  // relaxed: for dumps

 private:
  static constexpr std::uint64_t one_searching = 1;
  static constexpr std::uint64_t one_sleeping = std::uint64_t{1} << 32;
  static std::uint32_t searching_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word); }
  static std::uint32_t sleeping_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word >> 32); }
  static bool worth_waking(std::uint64_t word) noexcept { return sleeping_of(word) != 0 && searching_of(word) == 0; }
  static std::uint64_t bit(std::size_t worker) noexcept { return std::uint64_t{1} << worker % 64; }

  std::size_t clear_any_bit() noexcept {
    for (std::size_t g = 0; g < groups_; ++g) {
      std::uint64_t bits = asleep_[g].load(acquire);  // E1 observe
      while (bits != 0) {
        const std::uint64_t lowest = bits & (~bits + 1);
        // E2 publish
        if ((asleep_[g].fetch_and(~lowest, acq_rel) & lowest) != 0) {
          return g * 64 + static_cast<std::size_t>(__builtin_ctzll(lowest));
        }
        bits = asleep_[g].load(acquire);  // E1 observe
      }
    }
    return nobody;
  }

  alignas(128) atomic<std::uint64_t> word_{0};  // sleeping << 32 | searching; written by workers and publishers
  alignas(128) std::size_t groups_;
  std::unique_ptr<atomic<std::uint64_t>[]> asleep_;  // a bit for each worker, see I1
  std::size_t most_;                                 // so many may search at once
};

}  // namespace sluice::impl
