#pragma once
// resume_on moves the running task to an executor; on runs another task there, and comes back.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/awaited_once.hpp>
#include <sluice/runtime/executor.hpp>
#include <sluice/runtime/timeout.hpp>

#include <coroutine>
#include <utility>

namespace sluice {
namespace impl {

class [[nodiscard]] resume_on_awaiter {
 public:
  resume_on_awaiter(const executor& where, task_context& context)
      : context_(context), to_(resolve(where, context)), cancelled_(context.cancelled()) {}

  bool await_ready() const noexcept { return cancelled_; }
  void await_suspend(std::coroutine_handle<> self) const noexcept {
    context_.handle = self;
    context_.set_waker(to_);
    to_.wake(context_);
  }
  void await_resume() const {
    if (cancelled_) throw sluice::cancelled{};
  }

 private:
  static waker& resolve(const executor& where, task_context& context);

  task_context& context_;
  waker& to_;
  bool cancelled_;  // before it moved
};

class [[nodiscard]] resume_on_operation {
 public:
  explicit resume_on_operation(const executor& where) noexcept : where_(where) {}
  resume_on_awaiter bind(task_context& context) && {
    once_.take();
    return {where_, context};
  }
  using only_runs_tasks = void;  // it always suspends

 private:
  awaited_once once_;
  executor where_;
};

/// A root in the frame of the one that waits, which begins and goes on at an executor. A timeout that never comes.
template <class T>
class [[nodiscard]] on_awaiter final : private root_context {
 public:
  on_awaiter(const executor& where, task<T>&& t, task_context& parent)
      : root_context(executor_access::resolve(where, *scheduler::current()), current_core()),
        gate_(parent, *this),
        task_(std::move(t)) {}

  bool await_ready() noexcept {
    refused_ = gate_.parent().context().cancelled();
    return refused_;
  }
  void await_suspend(std::coroutine_handle<> self) {
    gate_.begin(self, time_point::max(), "on", this);
    attach(task_access::take(task_), *this, outcome_);
    (void)gate_.begun();  // the task counts still
    root_context::wake();
  }
  T await_resume() {
    gate_.parent().context().note_wait(nullptr, nullptr);
    if (refused_) throw sluice::cancelled{};
    return outcome_.get();
  }

 private:
  std::coroutine_handle<> finished(std::coroutine_handle<> frame, task_context&) noexcept override {
    frame.destroy();
    if (gate_.ended(1)) gate_.parent().context().wake();
    return std::noop_coroutine();
  }

  timeout_gate gate_;
  task<T> task_;
  result<T> outcome_;
  bool refused_ = false;
};

template <class T>
class [[nodiscard]] on_operation {
 public:
  using only_runs_tasks = void;
  on_operation(const executor& where, task<T>&& t) noexcept : where_(where), task_(std::move(t)) {}
  on_awaiter<T> bind(task_context& parent) && { return {where_, std::move(task_), parent}; }

 private:
  executor where_;
  task<T> task_;
};

template <class T>
task<T> run_on(executor where, task<T> t) {
  co_return co_await on_operation<T>(where, std::move(t));
}

}  // namespace impl

/// From here on the running task goes on at `where`, until it ends or moves again, together with the coroutines that co_await it directly.
/// Goes behind what is ready there. The body of with_group, the task of timeout, shield, unconstrained or on, and a child of when_all move
/// alone: they begin where their caller is, and it stays there, as their siblings do.
/// Cancellable before it moves; a task that has moved goes on, and its next wait throws.
/// Throws std::logic_error where no task waits for itself (within timeout(d, resume_on(...))) and for an executor of another runtime,
/// std::bad_alloc when a lane is used for the first time.
inline impl::resume_on_operation resume_on(const executor& where) noexcept { return impl::resume_on_operation(where); }

/// A task that runs `t` at `where`, waits for it, and gives its result, while whoever awaits it stays where it is. So
/// `spawn(on(strand, t))`, `group.spawn(on(lane::background, t))` and `when_all(on(a, t), on(b, u))` say where each child runs, its first
/// step included. What `t` awaits stays where `t` is. Of what it starts beside itself, children of its when_all are in its lane, children
/// of groups and spawned tasks are normal, and none is on its worker or strand, unless they are put there.
/// Cancellation is passed on to `t`; in an already cancelled task `t` is not started. So a second step that must follow a first (a
/// deposit, say, after a withdrawal) is shielded: `co_await shield(on(b, deposit))`.
/// Throws std::logic_error at once for a task that was used already. When awaited, throws std::logic_error for an executor of another
/// runtime, and std::bad_alloc when a lane is used for the first time.
template <class T>
task<T> on(const executor& where, task<T> t) {
  impl::task_access::check(t);
  return impl::run_on<T>(where, std::move(t));
}

}  // namespace sluice
