#pragma once
// What a wait knows of the world above it: how to make its coroutine runnable again (`waker`), and
// where to leave itself so that a cancellation finds it (the context's cancel word).
//
// A task_context stands for one line of execution: one task with every coroutine that it co_awaits in
// turn. At any moment it runs, or it is suspended in at most one wait.
//
// The cancel word:
//   none         the task is not in a cancellable wait
//   waiting      a pointer to the `cancellable` of the wait it is in
//   cancelled    cancellation was requested; final
//
// I1  The word is moved out of `waiting` by exactly one side: the wait that is completing (disarm), or the
//     canceller (cancel). Whoever takes the cancellable out owns it.
// I2  A canceller that took a cancellable out calls its owner exactly once; the coroutine is not made
//     runnable before that call has handed the cancellable back. So the call never touches a dead frame.
// I3  `cancelled` is never left.
// E1  arm (release) -> cancel (acquire): the canceller sees the wait as it was armed.

#include <sluice/queues/atomic.hpp>

#include <coroutine>
#include <cstdint>

namespace sluice::impl {

/// A suspended coroutine that can be made runnable. `next` is the link of whatever list holds it, so
/// that making it runnable never allocates and cannot fail.
struct runnable {
  runnable* next = nullptr;
  std::coroutine_handle<> handle;
};

/// Makes suspended coroutines runnable: a scheduler, a parked thread, a test's ten-line executor. It also decides where and
/// when they go on: a waker of its own is how a task stays on one worker, or takes turns with others.
class waker {
 public:
  /// Callable from any thread. `r` may be resumed, and gone, before the call returns.
  virtual void wake(runnable& r) noexcept = 0;
  /// The task that this thread runs steps back, behind what is ready.
  virtual void yield(runnable& r) noexcept { wake(r); }

  /// Whether its tasks may go on where they become runnable, on any worker. Otherwise they do so through the waker only.
  bool roams() const noexcept { return roams_; }

 protected:
  explicit waker(bool roams = true) noexcept : roams_(roams) {}
  ~waker() = default;

 private:
  const bool roams_;
};

struct cancellable;
class cancellation;

/// Holds other tasks, and passes a cancellation on to them.
class cancel_relay {
 public:
  /// Cancels what it holds. The relay may be gone afterwards.
  virtual void pass_on(cancellation& walk) noexcept = 0;

 protected:
  ~cancel_relay() = default;

 private:
  friend cancellation;
  cancel_relay* next_ = nullptr;
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

/// Knows how to take a wait back.
class canceller {
 public:
  /// Called at most once per arming, by the thread that took `wait` out of a cancel word. A wait for other tasks adds
  /// itself to the walk.
  virtual void cancel(cancellable& wait, cancellation& walk) noexcept = 0;

 protected:
  ~canceller() = default;
};

/// A wait that a cancellation can find.
struct cancellable {
  canceller* owner = nullptr;
};

class task_context : public runnable {
 public:
  explicit task_context(waker& w) noexcept : waker_(&w) {}
  task_context(const task_context&) = delete;
  task_context& operator=(const task_context&) = delete;

  /// Makes the suspended coroutine runnable. After the call the context may be gone.
  void wake() noexcept { waker_->wake(*this); }
  /// Steps back, once suspended: for the task itself.
  void yield() noexcept { waker_->yield(*this); }

  waker& current_waker() const noexcept { return *waker_; }
  /// From its next suspension on. For the task itself, while it runs: whoever wakes it has its wait from it by then.
  void set_waker(waker& w) noexcept { waker_ = &w; }

  /// Whether cancellation was requested. Relaxed: the waits themselves synchronise.
  bool cancelled() const noexcept { return word_.load(relaxed) == cancelled_word; }

  /// Leaves `wait` to be found by cancel(). False: cancellation was already requested, nothing was left.
  [[nodiscard]] bool arm(cancellable& wait) noexcept {
    std::uintptr_t expected = none;
    // E1 publish
    return word_.compare_exchange_strong(expected, reinterpret_cast<std::uintptr_t>(&wait), release, relaxed);
  }

  /// Takes `wait` back. False: a canceller has it, and hands it back through its owner (I2).
  [[nodiscard]] bool disarm(cancellable& wait) noexcept {
    auto expected = reinterpret_cast<std::uintptr_t>(&wait);
    // relaxed: nothing is handed over; a failure means that the owner will be called, which synchronises.
    return word_.compare_exchange_strong(expected, none, relaxed, relaxed);
  }

  /// Requests cancellation: idempotent, from any thread. The caller keeps the context alive.
  void cancel() noexcept {
    cancellation walk;
    cancel(walk);
    walk.finish();
  }
  /// The same as part of a walk, which the caller finishes.
  void cancel(cancellation& walk) noexcept {
    // E1 observe
    const std::uintptr_t before = word_.exchange(cancelled_word, acquire);
    if (before == none || before == cancelled_word) return;
    auto* wait = reinterpret_cast<cancellable*>(before);
    wait->owner->cancel(*wait, walk);
  }

  // What dump() shows: what this task waits for. Set before suspending, all accesses relaxed: a snapshot.
  void note_wait(const char* operation, const void* object) noexcept {
    wait_operation.store(operation, relaxed);
    wait_object.store(object, relaxed);
  }
  atomic<const char*> wait_operation{nullptr};  ///< a string literal such as "queue.get", or null
  atomic<const void*> wait_object{nullptr};     ///< the object waited on

 private:
  static constexpr std::uintptr_t none = 0;
  static constexpr std::uintptr_t cancelled_word = 1;

  waker* waker_;
  atomic<std::uintptr_t> word_{
      none};  // none | cancellable* | cancelled; written by the task, the completing side, cancellers
};

/// An operation such as `q.get()`: bind() makes the awaiter that a promise's await_transform returns.
template <class Operation>
concept bindable =
    requires(Operation&& operation, task_context& context) { static_cast<Operation&&>(operation).bind(context); };

}  // namespace sluice::impl
