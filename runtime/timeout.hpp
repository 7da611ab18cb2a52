#pragma once
// timeout(d, x): x in a context of its own, which a timer or the caller's cancellation cancels.
//
//   caller's context <-- link -- | nested context <-- armed by x
//   scheduler's timer ---------- |
//
// The gate's parties: x, the link, the timer, and await_suspend. When x ends it takes the link and the timer back; the
// coroutine resumes when nobody is left inside.
//
// I1  The timer and the link are there before x begins to wait: so whoever ends x finds both.
// I2  They touch nothing but the nested context, then count themselves off.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/deadline.hpp>
#include <sluice/runtime/join_handle.hpp>
#include <sluice/runtime/nested.hpp>
#include <sluice/runtime/this_task.hpp>

#include <chrono>
#include <exception>
#include <optional>

namespace sluice {
namespace impl {

/// The gate of a timeout around a nested context that lives as long as it does.
class timeout_gate final : public cancel_relay, public timer_target {
 public:
  timeout_gate(task_context& parent, task_context& nested) noexcept
      : parent_(parent), nested_(nested), scheduler_(*scheduler::current()) {}
  timeout_gate(const timeout_gate&) = delete;
  timeout_gate& operator=(const timeout_gate&) = delete;

  waiting_parent& parent() noexcept { return parent_; }
  scheduler& home() noexcept { return scheduler_; }

  /// Arms the timer and the link. Throws std::bad_alloc before anything has changed.
  void begin(std::coroutine_handle<> self, time_point deadline, const char* operation, const void* object) {
    if (deadline != time_point::max()) {
      timer_ = scheduler_.start_timer(deadline, *this);
    } else {
      (void)gate_.leave(1);
    }
    parent_.suspend(self, operation, object);  // the timer cannot go on with it yet: x counts still
    linked_ = parent_.context().arm(link_);
    if (linked_) return;
    nested_.cancel();
    (void)gate_.leave(1);
  }

  /// x has ended, or did not begin to wait. True: nobody is left inside; the caller goes on with the parent.
  [[nodiscard]] bool ended(std::uint32_t parties) noexcept {
    if (linked_ && parent_.context().disarm(link_)) ++parties;
    if (timer_ != nullptr && scheduler_.stop_timer(timer_)) ++parties;
    return gate_.leave(parties);
  }
  [[nodiscard]] bool begun() noexcept { return gate_.leave(1); }

  /// For await_resume: whether a `cancelled` that came out of x is ours.
  bool expired() const noexcept { return expired_ && !parent_.context().cancelled(); }
  void expire() noexcept { expired_ = true; }

  void fired() noexcept override {
    expired_ = true;
    nested_.cancel();
    gate_.leave_and_wake(1, parent_.context());
  }
  void pass_on(cancellation& walk) noexcept override {
    nested_.cancel(walk);
    gate_.leave_and_wake(1, parent_.context());
  }

 private:
  waiting_parent parent_;
  task_context& nested_;
  scheduler& scheduler_;
  timer* timer_ = nullptr;
  cancellable link_{this};
  gate gate_{4};          // x, the link, the timer, await_suspend
  bool linked_ = false;   // written before x begins
  bool expired_ = false;  // written by the timer before it leaves
};

/// timeout of an operation: its awaiter runs in the caller's frame, and its waker is the gate.
template <class Operation>
class [[nodiscard]] timeout_awaiter final : private waker {
  using awaiter = decltype(std::declval<Operation>().bind(std::declval<task_context&>()));

 public:
  timeout_awaiter(Operation&& operation, time_point deadline, bool once, task_context& parent)
      : nested_(*this),
        gate_(parent, nested_),
        inner_(std::forward<Operation>(operation).bind(nested_)),
        deadline_(deadline),
        once_(once) {}

  bool await_ready() {
    refused_ = gate_.parent().context().cancelled();
    if (refused_ || inner_.await_ready()) return true;
    tried_ = once_;
    return once_;
  }

  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) {
    gate_.begin(self, deadline_, "timeout", nullptr);
    suspension inner{false, std::noop_coroutine()};
    try {
      inner = suspend_in(inner_, self);
    } catch (...) {
      error_ = std::current_exception();
    }
    if (!inner.suspended) return gate_.ended(2) ? transfer(gate_.parent().not_suspended()) : std::noop_coroutine();
    // The gate still counts this function in: what the operation noted is what dump() shows of the caller.
    if (const char* what = nested_.wait_operation.load(relaxed)) {
      gate_.parent().context().note_wait(what, nested_.wait_object.load(relaxed));
    }
    return gate_.begun() ? transfer(gate_.parent().not_suspended()) : inner.next;
  }

  bool has_part() const noexcept { return !refused_ && impl::has_part(inner_); }

  decltype(auto) await_resume() {
    gate_.parent().context().note_wait(nullptr, nullptr);
    if (refused_) throw sluice::cancelled{};
    if (tried_ && !impl::has_part(inner_)) throw timed_out{};
    if (error_) std::rethrow_exception(std::move(error_));
    try {
      return inner_.await_resume();
    } catch (const sluice::cancelled&) {
      if (!gate_.expired()) throw;
    }
    throw timed_out{};
  }

 private:
  void wake(runnable&) noexcept override {
    if (gate_.ended(1)) gate_.parent().context().wake();
  }

  task_context nested_;
  timeout_gate gate_;
  awaiter inner_;
  time_point deadline_;
  bool once_;                 // no time at all: try, and never park
  bool refused_ = false;      // the caller was cancelled
  bool tried_ = false;        // once_, and it was not ready
  std::exception_ptr error_;  // what the operation threw when it was to wait
};

/// timeout of a task: a root of its own, started on the caller's worker.
template <class T, bool StepsBack = true>
class [[nodiscard]] timeout_task_awaiter final : private root_context {
 public:
  timeout_task_awaiter(task<T>&& t, time_point deadline, bool once, task_context& parent)
      : gate_(parent, *this), task_(std::move(t)), deadline_(deadline), once_(once) {
    task_access::check(task_);
  }

  bool await_ready() noexcept {
    refused_ = gate_.parent().context().cancelled();
    return refused_;
  }

  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) {
    gate_.begin(self, once_ ? time_point::max() : deadline_, "timeout of a task", this);
    if (once_) {
      gate_.expire();
      root_context::cancel();
    }
    const auto frame = task_access::take(task_);
    attach(frame, *this, outcome_);
    (void)gate_.begun();  // the task counts still
    scheduler::set_current_task(this);
    return transfer(frame);
  }

  T await_resume() {
    gate_.parent().context().note_wait(nullptr, nullptr);
    if (refused_) throw sluice::cancelled{};
    try {
      return outcome_.get();
    } catch (const sluice::cancelled&) {
      if (!gate_.expired()) throw;
    }
    throw timed_out{};
  }

 private:
  bool steps_back() const noexcept override { return StepsBack; }
  std::coroutine_handle<> finished(std::coroutine_handle<> frame, task_context&) noexcept override {
    frame.destroy();
    return gate_.ended(1) ? gate_.parent().go_on(current_waker()) : std::noop_coroutine();
  }

  timeout_gate gate_;
  task<T> task_;
  result<T> outcome_;
  time_point deadline_;
  bool once_;
  bool refused_ = false;
};

template <class Operation, class Rep, class Period>
class [[nodiscard]] timeout_operation {
 public:
  timeout_operation(Operation&& operation, std::chrono::duration<Rep, Period> wait)
      : operation_(std::forward<Operation>(operation)), wait_(wait) {}

  auto bind(task_context& parent) && {
    const bool once = !(wait_ > wait_.zero());
    const time_point deadline = once ? time_point{} : deadline_after(scheduler::current()->now(), wait_);
    if constexpr (is_task<Operation>) {
      return timeout_task_awaiter<typename Operation::value_type>(std::move(operation_), deadline, once, parent);
    } else {
      return timeout_awaiter<Operation>(std::forward<Operation>(operation_), deadline, once, parent);
    }
  }

 private:
  Operation operation_;  // a reference for a join_handle that was passed by name
  std::chrono::duration<Rep, Period> wait_;
};

template <class X>
concept timed = is_task<X> || bindable<X>;

}  // namespace impl

/// Waits for `x` for at most `wait`: its result, or throws timed_out. `x` is an operation or a task, as an rvalue (a
/// join_handle also by name). Zero or less tries once and never parks. A result that was claimed is delivered
/// even if the time is up at the same instant. A task that ran out of time is cancelled, and its end is waited for. The
/// caller's own cancellation wins over timed_out.
template <class Rep, class Period, class X>
  requires impl::timed<X> && (!std::is_lvalue_reference_v<X> || impl::awaited_as_lvalue<std::remove_cvref_t<X>>)
impl::timeout_operation<X, Rep, Period> timeout(std::chrono::duration<Rep, Period> wait, X&& x) {
  return {std::forward<X>(x), wait};
}

}  // namespace sluice
