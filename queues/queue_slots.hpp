#pragma once
// A place that is kept in a queue until somebody puts there, and what the waits for one wait with; and a look at the item that is the next to go.
// Made by queue_face.hpp. Core: a queue_core.

#include <sluice/queues/errors.hpp>
#include <sluice/queues/queue_waiters.hpp>
#include <sluice/queues/queue_waits.hpp>

#include <coroutine>
#include <stdexcept>
#include <utility>

namespace sluice::impl {

/// Room for one item, which nobody else can take: a put into it never waits and never fails, even when the queue has been closed. Given back
/// when it goes unused. May be used and destroyed on any thread, by one at a time; must not outlive the queue.
template <class Core>
class [[nodiscard]] queue_slot {
  using T = typename Core::item_type;

 public:
  queue_slot(queue_slot&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  queue_slot& operator=(queue_slot&&) = delete;
  ~queue_slot() {
    if (core_ != nullptr) core_->give_up();
  }

  /// Takes effect like a put: at this moment, behind whatever was put since the slot was reserved. Once: then std::logic_error, and the value
  /// is untouched.
  void put(T&& value) { take().fill(value); }
  void put(const T& value) { put(T(value)); }
  /// Whether it has not been used.
  explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  template <class>
  friend class reserve_awaiter;
  template <class, class>
  friend class queue_face;

  explicit queue_slot(Core& core) noexcept : core_(&core) {}

  Core& take() {
    if (core_ != nullptr) return *std::exchange(core_, nullptr);
    throw std::logic_error("sluice: a slot was put into twice: reserve another one");
  }

  Core* core_;
};

/// What `co_await q.reserve()` waits with.
template <class Core>
class reserve_awaiter {
 public:
  static constexpr bool is_arm = true;  // of a select

  reserve_awaiter(Core& core, task_context& context) noexcept : wait_(context), core_(&core) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  queue_slot<Core> await_resume();

 private:
  slot_waiter wait_;
  Core* core_;
};

/// What `co_await q.peek()` waits with.
template <class Core>
class peek_awaiter {
  using T = typename Core::item_type;

 public:
  static constexpr bool is_arm = true;  // of a select

  peek_awaiter(Core& core, task_context& context) noexcept : wait_(context, item_), core_(&core) {
    wait_.kind = wait_kind::look;
  }

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  T await_resume();

 private:
  late<T> item_;
  get_waiter<T> wait_;
  Core* core_;
};

// -----------------------------------------------------------------------------------------------------------

template <class Core>
bool reserve_awaiter<Core>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = wait_result::cancelled;
    return true;
  }
  wait_.result = result_of(core_->try_reserve());
  return wait_.result != wait_result::none;
}

template <class Core>
bool reserve_awaiter<Core>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.reserve");
}

template <class Core>
queue_slot<Core> reserve_awaiter<Core>::await_resume() {
  waiter_hub::resumed(wait_);
  if (wait_.result != wait_result::done) core_->throw_failed(wait_.result, "reserve");
  return queue_slot<Core>(*core_);
}

template <class Core>
bool peek_awaiter<Core>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = wait_result::cancelled;
    return true;
  }
  std::optional<T> copy;
  wait_.result = result_of(core_->try_peek(copy));
  if (copy) item_.emplace(*copy);
  return wait_.result != wait_result::none;
}

template <class Core>
bool peek_awaiter<Core>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.peek");
}

template <class Core>
typename Core::item_type peek_awaiter<Core>::await_resume() {
  waiter_hub::resumed(wait_);
  if (wait_.result != wait_result::done) core_->throw_failed(wait_.result, "peek");
  return *item_;
}

}  // namespace sluice::impl
