#pragma once
// What a wait knows of the world above it: how to make its coroutine runnable again (`waker`), and
// where to leave itself so that a cancellation finds it (cancellation.hpp).
//
// A task_context stands for one line of execution: one task with every coroutine that it co_awaits in
// turn. At any moment it runs, or it is suspended in at most one wait.
//
// Part of what a line does may be cancelled apart from the rest: a `cancel_scope`, such as a when_all whose children run on their
// parent's line one after another. Scopes nest, and a wait leaves itself in the innermost one. To be found from outside a
// scope is linked: it lies in the slot of the scope around it, or of the line.
//
//   line.slot --> scope --> its slot --> scope within --> its slot --> wait
//
// A scope whose children never wait is never linked, and costs no read-modify-write.
//
// I1  cancelled_from_ says from which depth on the line is cancelled: 0, all of it, which is final; or the depth of a scope,
//     until that scope is left. It is set before the slot of the same depth is shut; so a wait that is refused by the
//     slot sees it (E2 of cancellation.hpp).
// I2  Only the line itself enters and leaves its scopes, innermost first, and does neither while it is suspended. So who completes
//     its wait, or takes part in a scope, sees the scopes as they were.
// I3  A linked scope's outer ones are linked. Once its link was taken by a canceller, the scope stays until that has let go: for
//     the derived class to see to, with what unlink() says.

#include <sluice/queues/cancellation.hpp>

#include <coroutine>
#include <cstdint>

namespace sluice::impl {

class task_context;

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

  /// Whether its contexts are several waits of one task, of which one alone may have its result (select). They do not roam.
  bool chooses() const noexcept { return chooses_; }
  /// Such a wait is about to get its result. False: another one has, and whoever decided that cancels this one. Any thread.
  virtual bool choose(task_context&) noexcept { return true; }

 protected:
  explicit waker(bool roams = true, bool chooses = false) noexcept : roams_(roams), chooses_(chooses) {}
  ~waker() = default;

 private:
  const bool roams_;
  const bool chooses_;
};

/// Part of what a line of execution does, which can be cancelled apart from the rest.
class cancel_scope : public cancel_relay {
 public:
  cancel_scope(const cancel_scope&) = delete;
  cancel_scope& operator=(const cancel_scope&) = delete;

  /// Makes the scope findable for cancellations of its line: by the line itself, or by who takes part in the scope. False:
  /// it is cancelled.
  [[nodiscard]] bool link() noexcept;

 protected:
  explicit cancel_scope(task_context& line) noexcept : line_(&line) {}
  ~cancel_scope() = default;

  void enter() noexcept;
  /// `was_shut`: shut_scope() was called.
  void leave(bool was_shut) noexcept;
  task_context& line() const noexcept { return *line_; }

  bool linked() const noexcept {
    return linked_.load(relaxed) != 0;
  }  // relaxed: who linked it has told its leaver in other ways
  /// Before a linked scope is left. False: a canceller is in it.
  [[nodiscard]] bool unlink() noexcept;
  /// Cancels what the line does in this scope, and nothing else of it.
  void shut_scope(cancellation& walk) noexcept;
  /// For pass_on: the line itself is cancelled.
  void shut_slot(cancellation& walk) noexcept { slot_.shut(walk); }

 private:
  friend task_context;

  cancel_slot& around() const noexcept;

  task_context* const line_;
  cancel_scope* outer_;
  cancellable link_{this};
  std::uint32_t depth_;              // from 1
  atomic<std::uint32_t> linked_{0};  // 0 | 1; all accesses relaxed: the link itself lies in the slot around
  atomic<cancel_scope*> inner_;      // the next one on the way inwards, for link(); all accesses relaxed: only it looks
  cancel_slot slot_;
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

  /// Whether what it does now is cancelled. Relaxed: the waits themselves synchronise.
  bool cancelled() const noexcept { return cancelled_from_.load(relaxed) != nowhere; }

  /// Leaves `wait` to be found by cancel(). False: cancellation was already requested, nothing was left.
  [[nodiscard]] bool arm(cancellable& wait) noexcept {
    cancel_scope* const innermost = scope_.get();
    if (innermost == nullptr) [[likely]]
      return slot_.leave(wait);
    return innermost->link() && innermost->slot_.leave(wait);
  }

  /// Takes `wait` back, for whoever completes it. False: a canceller has it, or will have it, and hands it back through its owner.
  [[nodiscard]] bool disarm(cancellable& wait) noexcept {
    if (waker_->chooses() && !waker_->choose(*this)) [[unlikely]]
      return false;
    cancel_scope* const innermost = scope_.get();
    return (innermost == nullptr ? slot_ : innermost->slot_).take_back(wait);
  }

  /// A hint: somebody will disarm the wait that this line is in, and wake it.
  void will_wake() const noexcept { will_write(&slot_); }

  /// Requests cancellation: idempotent, from any thread. The caller keeps the context alive.
  void cancel() noexcept {
    cancellation walk;
    cancel(walk);
    walk.finish();
  }
  /// The same as part of a walk, which the caller finishes.
  void cancel(cancellation& walk) noexcept {
    // relaxed: E2 of cancellation.hpp
    if (cancelled_from_.exchange(all_of_it, relaxed) != all_of_it) slot_.shut(walk);
  }

  // What dump() shows: what this task waits for. Set before suspending, all accesses relaxed: a snapshot.
  void note_wait(const char* operation, const void* object) noexcept {
    wait_operation.store(operation, relaxed);
    wait_object.store(object, relaxed);
  }
  atomic<const char*> wait_operation{nullptr};  ///< a string literal such as "queue.get", or null
  atomic<const void*> wait_object{nullptr};     ///< the object waited on

 private:
  friend cancel_scope;
  static constexpr std::uint32_t all_of_it = 0;
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};

  waker* waker_;
  plain<cancel_scope*> scope_{nullptr};  // I2
  cancel_slot slot_;
  // I1; written by cancellers, and by the leaver of a scope; all accesses relaxed
  atomic<std::uint32_t> cancelled_from_{nowhere};
};

/// An operation such as `q.get()`: bind() makes the awaiter that a promise's await_transform returns.
template <class Operation>
concept bindable =
    requires(Operation&& operation, task_context& context) { static_cast<Operation&&>(operation).bind(context); };

/// Whether an operation on several that gives up has part of its result by now, which counts.
template <class Awaiter>
bool has_part(const Awaiter& awaiter) noexcept {
  if constexpr (requires { awaiter.has_part(); }) {
    return awaiter.has_part();
  } else {
    return false;
  }
}

// ---------------------------------------------------------------------------------------------------------------------------

inline void cancel_scope::enter() noexcept {
  outer_ = line_->scope_.get();
  depth_ = outer_ == nullptr ? 1 : outer_->depth_ + 1;
  line_->scope_.set(this);
}

inline void cancel_scope::leave(bool was_shut) noexcept {
  line_->scope_.set(outer_);
  if (!was_shut) [[likely]]
    return;
  std::uint32_t mine = depth_;  // a smaller depth stays: more is cancelled than this scope
  (void)line_->cancelled_from_.compare_exchange_strong(mine, task_context::nowhere, relaxed, relaxed);
}

inline cancel_slot& cancel_scope::around() const noexcept { return outer_ == nullptr ? line_->slot_ : outer_->slot_; }

inline bool cancel_scope::unlink() noexcept { return around().take_back(link_); }

}  // namespace sluice::impl
