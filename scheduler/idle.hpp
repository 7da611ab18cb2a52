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
//     takes it out of the count; a waker also gives it one of the searchers' places, taken before. (A waker may clear a bit that
//     is not counted yet: then the count is one too small for a moment, and a searcher's place is taken.)
// I2  A waker that has taken a searcher's place and finds no bit gives the place back and begins again if anybody sleeps: other
//     publishers may have relied on that place. If nobody sleeps, whoever goes to sleep later sees what they have published: its
//     change of the word comes after the value that they read.
// I3  All changes of the word are read-modify-writes. So whoever changes it with acquire has seen what all those did before that
//     changed it earlier with release.
// D1  a publisher writes its source (seq_cst), then loads the word (seq_cst); a sleeper, or the last searcher to leave, changes
//     the word (seq_cst), then loads each source (seq_cst). One of the two sees the other. The sources name their halves.
//     A waker's part needs no order: it only moves somebody from sleep to search, and every way out of the search passes D1.
// E1  who leaves its sleep by itself, announces it or ends its search (release) -> who does so later (acquire): what it did
//     with the watch (E1 of watch.hpp).

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
  static constexpr std::size_t nobody = ~std::size_t{0};
  std::size_t wake_one() noexcept {
    std::uint64_t seen = word_.load(relaxed);  // relaxed: must_wake() was the look that counts; see D1
    for (;;) {
      if (!worth_waking(seen)) return nobody;
      // relaxed: a bit that is not visible yet is like one that is gone
      if (!word_.compare_exchange_weak(seen, seen + one_searching, relaxed, relaxed)) continue;
      const std::size_t worker = clear_any_bit();
      if (worker != nobody) {
        word_.fetch_sub(one_sleeping, relaxed);  // relaxed: only a count; I1
        return worker;
      }
      seen = word_.fetch_sub(one_searching, relaxed) - one_searching;  // relaxed: it reads the newest value; I2
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
  bool end_search() noexcept {
    return searching_of(word_.fetch_sub(one_searching, seq_cst)) == 1;  // D1 store, E1 publish, E1 observe
  }

  /// The worker is about to sleep: afterwards it looks at every source, then parks.
  void announce_sleep(std::size_t worker, bool searching) noexcept {
    asleep_[worker / 64].fetch_or(bit(worker), relaxed);  // relaxed: a waker that does not see it looks again
    // D1 store, E1 publish, E1 observe
    word_.fetch_add(one_sleeping - (searching ? one_searching : 0), seq_cst);
  }

  /// The worker is awake, for whatever reason. True: a waker has made it a searcher. False: it runs, and is counted as neither.
  bool leave_sleep(std::size_t worker) noexcept {
    // relaxed: what its waker has published is found, at the latest when the search ends (D1)
    if ((asleep_[worker / 64].fetch_and(~bit(worker), relaxed) & bit(worker)) == 0) return true;
    word_.fetch_sub(one_sleeping, acq_rel);  // E1 publish, E1 observe
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
      std::uint64_t bits = asleep_[g].load(relaxed);  // relaxed: the read-modify-write decides
      while (bits != 0) {
        const std::uint64_t lowest = bits & (~bits + 1);
        // relaxed: a place in a search is handed over, and nothing else
        if ((asleep_[g].fetch_and(~lowest, relaxed) & lowest) != 0) {
          return g * 64 + static_cast<std::size_t>(__builtin_ctzll(lowest));
        }
        bits = asleep_[g].load(relaxed);  // relaxed: as above
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
