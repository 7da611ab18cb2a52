#pragma once
// How a cancellation finds what waits: the slot in which a wait leaves itself, and the walk down through waits for other tasks.
//
// A slot's word:
//   none         nothing that can be cancelled is there
//   left         a pointer to the `cancellable` of a wait
//   shut         cancelled; final
//
// I1  The word is moved out of `left` by exactly one side: the wait that is completing (take_back), or the canceller (shut).
//     Whoever takes the cancellable out owns it.
// I2  A canceller that took a cancellable out calls its owner exactly once; the coroutine is not made
//     runnable before that call has handed the cancellable back. So the call never touches a dead frame.
// E1  leave (release) -> shut (acquire): the canceller sees the wait as it was left.
// E2  shut (release) -> a leave that is refused (acquire): what the canceller noted before, such as that the task is cancelled.

#include <sluice/queues/atomic.hpp>

#include <cstdint>

namespace sluice::impl {

struct cancellable;
class cancellation;

/// Knows how to take a wait back.
class canceller {
 public:
  /// Called at most once for each time it was left, by the thread that took `wait` out of a slot. A wait for other tasks
  /// adds itself to the walk.
  virtual void cancel(cancellable& wait, cancellation& walk) noexcept = 0;

 protected:
  ~canceller() = default;
};

/// A wait that a cancellation can find.
struct cancellable {
  canceller* owner = nullptr;
};

/// Waits for other tasks, and passes a cancellation on to them.
class cancel_relay : public canceller {
 public:
  /// Cancels what it holds. The relay may be gone afterwards.
  virtual void pass_on(cancellation& walk) noexcept = 0;

  void cancel(cancellable&, cancellation& walk) noexcept final;

 protected:
  cancel_relay() noexcept {}
  ~cancel_relay() = default;

 private:
  friend cancellation;
  cancel_relay* next_;  // of a walk
};

/// One cancellation on its way down through relays. They may lie within each other a million deep, so no relay calls the
/// next: each adds itself here, and finish() calls them one after another.
class cancellation {
 public:
  cancellation() noexcept = default;
  cancellation(const cancellation&) = delete;
  cancellation& operator=(const cancellation&) = delete;

  /// `relay` stays until it was called.
  void add(cancel_relay& relay) noexcept {
    relay.next_ = first_;
    first_ = &relay;
  }
  void finish() noexcept {
    while (first_ != nullptr) {
      cancel_relay& relay = *first_;
      first_ = relay.next_;
      relay.pass_on(*this);
    }
  }

 private:
  cancel_relay* first_ = nullptr;
};

inline void cancel_relay::cancel(cancellable&, cancellation& walk) noexcept { walk.add(*this); }

class cancel_slot {
 public:
  constexpr cancel_slot() noexcept = default;

  /// Leaves `wait` to be found. False: the slot is shut, nothing was left.
  [[nodiscard]] bool leave(cancellable& wait) noexcept {
    std::uintptr_t expected = none;
    // E1 publish, E2 observe
    return word_.compare_exchange_strong(expected, reinterpret_cast<std::uintptr_t>(&wait), release, acquire);
  }
  /// The same for one that others may leave, too. True: it is, or was, there.
  [[nodiscard]] bool leave_once(cancellable& wait) noexcept {
    const auto wanted = reinterpret_cast<std::uintptr_t>(&wait);
    std::uintptr_t seen = none;
    // E1 publish, E2 observe
    return word_.compare_exchange_strong(seen, wanted, release, acquire) || seen == wanted;
  }

  /// Takes `wait` back. False: a canceller has it, and hands it back through its owner (I2).
  [[nodiscard]] bool take_back(cancellable& wait) noexcept {
    auto expected = reinterpret_cast<std::uintptr_t>(&wait);
    // relaxed: nothing is handed over; a failure means that the owner will be called, which synchronises.
    return word_.compare_exchange_strong(expected, none, relaxed, relaxed);
  }

  /// Cancels what is there, and whatever comes: idempotent, from any thread. The caller keeps the slot alive, and finishes
  /// the walk.
  void shut(cancellation& walk) noexcept {
    const std::uintptr_t before = word_.exchange(shut_word, acq_rel);  // E1 observe, E2 publish
    if (before == none || before == shut_word) return;
    auto* wait = reinterpret_cast<cancellable*>(before);
    wait->owner->cancel(*wait, walk);
  }

 private:
  static constexpr std::uintptr_t none = 0;
  static constexpr std::uintptr_t shut_word = 1;

  // none | cancellable* | shut; written by the task, the completing side, cancellers
  atomic<std::uintptr_t> word_{none};
};

}  // namespace sluice::impl
