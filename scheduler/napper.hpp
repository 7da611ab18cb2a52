#pragma once
// A worker that finds nothing right after it had work naps before it sleeps: it keeps its place as a searcher, so that workers
// that go on making small tasks need not wake anybody, and looks again by itself a little later. Only what comes from
// outside, while nobody else would look, disturbs it.
//
//   nobody --lie_down--> worker i naps --disturb (a publisher), get_up (itself)--> nobody
//
// At most one worker naps at a time: the others sleep.
//
// I1  A worker that naps is a searcher in the idle word, and has not announced its sleep.
// D1  a publisher writes its source (seq_cst), then loads the word (seq_cst); a worker that lies down writes the word
//     (seq_cst), then loads each source from outside (seq_cst). One of the two sees the other.

#include <sluice/queues/atomic.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice::impl {

class napper {
 public:
  static constexpr std::size_t nobody = ~std::size_t{0};

  /// A searcher without work. False: somebody naps already. Afterwards it looks at every source from outside, then parks.
  [[nodiscard]] bool lie_down(std::size_t worker) noexcept {
    std::size_t seen = nobody;
    return word_.compare_exchange_strong(seen, worker, seq_cst, relaxed);  // D1 store
  }

  /// The one that napped, whatever woke it.
  void get_up() noexcept { word_.exchange(nobody, relaxed); }  // relaxed: the idle word says what the worker is then

  /// A publisher from outside, after publishing: who is to be unparked, or nobody.
  [[nodiscard]] std::size_t disturb() noexcept {
    if (word_.load(seq_cst) == nobody) return nobody;  // D1 load
    return word_.exchange(nobody, relaxed);            // relaxed: only who gets it matters
  }

 private:
  atomic<std::size_t> word_{nobody};  // nobody | the worker that naps; written by workers and publishers from outside
};

}  // namespace sluice::impl
