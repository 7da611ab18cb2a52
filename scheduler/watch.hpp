#pragma once
// While a worker is awake and others sleep, one sleeper watches: it wakes by itself after a while and looks whether something
// waits behind a long task, even in a LIFO slot.
//
//   nobody --take (about to sleep)--> worker i watches --leave (awake)--> nobody
//
// Who fills a LIFO slot relies on the watch if there is one; otherwise the watch is owed, and a sleeper is woken, which will take
// the watch if it finds nothing. A watcher that wakes and finds nothing takes the watch again; one that has work to do owes
// the watch to the others, and wakes the next. If somebody searches just then, or who was woken finds work, that searcher
// wakes the next instead, as long as the watch is owed.
//
// I1  Nobody watches while all sleep: there is nothing to watch.
// I2  The watch is taken after the sleep was announced in the idle word, and left before the worker leaves its sleep there.
// E1  leave, then leave_sleep or announce_sleep on the idle word (release) -> the same of another worker (acquire) -> its look:
//     `taken` and `take` see that the watch was left. So a relaxed look never relies on a watch that is over.
// D1  who owes the watch stores `owed` (seq_cst), then loads the idle word (seq_cst); the last searcher changes the word
//     (seq_cst), then loads `owed` (seq_cst): as for any source of work in idle.hpp.

#include <sluice/queues/atomic.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice::impl {

class watch_post {
 public:
  /// A worker that has announced its sleep while others are awake. False: somebody watches already.
  [[nodiscard]] bool take(std::size_t worker) noexcept {
    std::size_t seen = nobody;
    if (!word_.compare_exchange_strong(seen, worker, relaxed, relaxed)) return false;  // relaxed: E1
    owed_.store(0, relaxed);  // relaxed: whoever owed it has left it before; too late a sight only wakes one more
    return true;
  }

  /// The one that watched is awake.
  void leave() noexcept { word_.store(nobody, relaxed); }  // relaxed: E1

  /// Whether somebody watches, for who fills a LIFO slot.
  bool taken() const noexcept { return word_.load(relaxed) != nobody; }  // relaxed: E1

  /// Nobody watches, and somebody must. Afterwards a sleeper is woken, unless somebody searches.
  void owe() noexcept { owed_.store(1, seq_cst); }  // D1 store
  /// The last searcher, after end_search: whether it must wake a sleeper for the sake of the watch.
  bool owed() const noexcept { return owed_.load(seq_cst) != 0; }  // D1 load

 private:
  static constexpr std::size_t nobody = ~std::size_t{0};

  atomic<std::size_t> word_{nobody};  // nobody | the worker that watches; written by workers about to sleep and waking
  atomic<std::uint32_t> owed_{0};     // 0 | 1; written by workers
};

}  // namespace sluice::impl
