#pragma once
// What the waits of a queue wait with. Made by sluice::queue (queue.hpp).

#include <sluice/queues/queue_core.hpp>
#include <sluice/queues/thread_context.hpp>

#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

namespace sluice {

/// An item that is being worked on: calls task_done() when it goes. Must not outlive the queue.
template <class T>
class [[nodiscard]] leased {
 public:
  leased(leased&& other) noexcept : core_(std::exchange(other.core_, nullptr)), item_(std::move(other.item_)) {}
  leased& operator=(leased&&) = delete;
  ~leased();

  T& operator*() noexcept { return item_; }
  const T& operator*() const noexcept { return item_; }
  T* operator->() noexcept { return &item_; }
  const T* operator->() const noexcept { return &item_; }

 private:
  template <class, class>
  friend class get_awaiter;

  leased(impl::queue_core<T>& core, T&& item) noexcept : core_(&core), item_(std::move(item)) {}

  impl::queue_core<T>* core_;
  T item_;
};

/// What `co_await q.get()`, `q.next()` and `q.lease()` wait with. Result is T, optional<T> or optional<leased<T>>.
template <class T, class Result>
class get_awaiter {
 public:
  static constexpr bool is_arm = true;  // of a select

  get_awaiter(impl::queue_core<T>& core, impl::task_context& context) noexcept : wait_(context), core_(&core) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  Result await_resume();

 private:
  [[no_unique_address]] impl::get_waiter<T> wait_;  // so that what follows uses its padding
  impl::queue_core<T>* core_;
};

/// What `co_await q.put(x)` waits with.
template <class T>
class put_awaiter {
 public:
  static constexpr bool is_arm = true;  // of a select

  put_awaiter(impl::queue_core<T>& core, impl::task_context& context, T& value) noexcept
      : wait_(context, value), core_(&core) {}

  /// Throws std::logic_error where a put cannot be an arm.
  void check_arm() const;
  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  void await_resume();

 private:
  [[no_unique_address]] impl::put_waiter<T> wait_;  // likewise
  impl::queue_core<T>* core_;
};

/// The same for `q.put(const T&)`: the copy is made first, and may throw.
template <class T>
class copy_put_awaiter {
 public:
  static constexpr bool is_arm = true;  // of a select

  copy_put_awaiter(impl::queue_core<T>& core, impl::task_context& context, const T& value)
      : copy_(value), put_(core, context, copy_) {}

  void check_arm() const { put_.check_arm(); }
  bool await_ready() noexcept { return put_.await_ready(); }
  bool await_suspend(std::coroutine_handle<> suspended) noexcept { return put_.await_suspend(suspended); }
  void await_resume() { put_.await_resume(); }

 private:
  T copy_;
  put_awaiter<T> put_;
};

/// What `co_await q.put_many(items)` waits with.
template <class T>
class put_many_awaiter {
 public:
  put_many_awaiter(impl::queue_core<T>& core, impl::task_context& context, std::span<T> items) noexcept
      : wait_(context, items.data(), items.size()), core_(&core) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  std::size_t await_resume();
  bool has_part() const noexcept { return wait_.moved > 0; }

 private:
  impl::put_many_waiter<T> wait_;
  impl::queue_core<T>* core_;
};

/// What `co_await q.get_many(out)` waits with.
template <class T>
class get_many_awaiter {
 public:
  get_many_awaiter(impl::queue_core<T>& core, impl::task_context& context, std::span<T> out) noexcept
      : wait_(context), core_(&core), out_(out) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  std::size_t await_resume();

 private:
  impl::get_waiter<T> wait_;  // for the first item; what else is there is taken afterwards
  impl::queue_core<T>* core_;
  std::span<T> out_;
  std::size_t moved_ = 0;
};

/// What `co_await q.join()` waits with.
template <class T>
class join_awaiter {
 public:
  join_awaiter(impl::queue_core<T>& core, impl::task_context& context) noexcept : core_(&core), wait_(context, 0) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  void await_resume();

 private:
  impl::queue_core<T>* core_;
  impl::join_waiter wait_;
};

namespace impl {

/// An operation on a queue that has not begun: bind() gives it to a task. Awaited once.
template <class T, class Awaiter, class... Argument>
class [[nodiscard]] queue_operation {
 public:
  explicit queue_operation(queue_core<T>& core, Argument... argument) noexcept : core_(&core), argument_(argument...) {}
  queue_operation(queue_operation&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), argument_(other.argument_) {}

  Awaiter bind(task_context& context) && {
    queue_core<T>* const core = std::exchange(core_, nullptr);
    if (core == nullptr)
      throw std::logic_error("sluice: an operation on a queue was awaited twice: call it again instead");
    return std::apply([&](auto... argument) { return Awaiter(*core, context, dereferenced(argument)...); }, argument_);
  }

 private:
  template <class Value>
  static Value& dereferenced(Value* value) noexcept {
    return *value;
  }
  static std::span<T> dereferenced(std::span<T> items) noexcept { return items; }

  queue_core<T>* core_;
  std::tuple<Argument...> argument_;
};

}  // namespace impl

// -----------------------------------------------------------------------------------------------------------

namespace impl {

template <class T>
[[noreturn]] void throw_closed(const queue_core<T>& core, const char* operation) {
  throw queue_closed(std::string("sluice: ") + operation + " on queue '" + core.name() + "', which is closed");
}

/// What a wait that has no result throws. Apart, so that the way of those that have one stays short.
template <class T>
[[noreturn, gnu::noinline]] void throw_failed(wait_result result, const queue_core<T>& core, const char* operation) {
  if (result == wait_result::cancelled) throw cancelled{};
  if (result == wait_result::no_memory) throw std::bad_alloc();
  throw_closed(core, operation);
}

inline bool is_done(ring_status status) noexcept {
  return status == ring_status::done || status == ring_status::done_kick;
}
/// Whether waiting would not help.
inline bool has_failed(ring_status status) noexcept {
  return status == ring_status::closed || status == ring_status::no_memory;
}
/// What a wait has for a result before it registers.
inline wait_result result_of(ring_status status) noexcept {
  if (is_done(status)) [[likely]]
    return wait_result::done;
  if (status == ring_status::closed) return wait_result::closed;
  return status == ring_status::no_memory ? wait_result::no_memory : wait_result::none;
}

}  // namespace impl

template <class T>
leased<T>::~leased() {
  if (core_ == nullptr) return;
  try {
    core_->task_done(1);
  } catch (const std::logic_error& error) {
    impl::fail(std::string(error.what()) + " (the item was leased: its lease calls task_done itself)");
  }
}

template <class T, class Result>
bool get_awaiter<T, Result>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  const impl::ring_status status = core_->try_get([this](T&& item) { wait_.item.emplace(std::move(item)); });
  wait_.result = impl::result_of(status);
  return wait_.result != impl::wait_result::none;
}

template <class T, class Result>
bool get_awaiter<T, Result>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.get");
}

template <class T, class Result>
Result get_awaiter<T, Result>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if constexpr (std::is_same_v<Result, T>) {
    if (wait_.result != impl::wait_result::done) [[unlikely]]
      impl::throw_failed(wait_.result, *core_, "get");
    return std::move(*wait_.item);
  } else {
    if (wait_.result != impl::wait_result::done) [[unlikely]] {
      if (wait_.result == impl::wait_result::closed) return std::nullopt;
      impl::throw_failed(wait_.result, *core_, "next");
    }
    if constexpr (std::is_same_v<Result, std::optional<T>>) {
      return std::move(wait_.item);
    } else {
      return leased<T>(*core_, std::move(*wait_.item));
    }
  }
}

template <class T>
void put_awaiter<T>::check_arm() const {
  if (core_->kind() != impl::queue_kind::rendezvous) return;
  throw std::logic_error("sluice: select was given a put on queue '" + core_->name() +
                         "', which is a rendezvous: select the get on the other side, or give the queue room");
}

template <class T>
bool put_awaiter<T>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  const impl::ring_status status = core_->try_put(*wait_.value);
  wait_.result = impl::result_of(status);
  return wait_.result != impl::wait_result::none;
}

template <class T>
bool put_awaiter<T>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.put");
}

template <class T>
void put_awaiter<T>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.result != impl::wait_result::done) [[unlikely]]
    impl::throw_failed(wait_.result, *core_, "put");
}

template <class T>
bool put_many_awaiter<T>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  const impl::ring_batch step = core_->put_many(wait_.items, wait_.count);
  wait_.moved = step.moved;
  wait_.result = impl::result_of(step.status);
  return wait_.moved == wait_.count || impl::has_failed(step.status);
}

template <class T>
bool put_many_awaiter<T>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.put_many");
}

template <class T>
std::size_t put_many_awaiter<T>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.moved == 0 && wait_.result != impl::wait_result::done) impl::throw_failed(wait_.result, *core_, "put_many");
  return wait_.moved;
}

template <class T>
bool get_many_awaiter<T>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  const impl::ring_batch step = core_->get_many(out_.data(), out_.size());
  moved_ = step.moved;
  wait_.result = impl::result_of(step.status);
  return moved_ > 0 || impl::has_failed(step.status);
}

template <class T>
bool get_many_awaiter<T>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.get_many");
}

template <class T>
std::size_t get_many_awaiter<T>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (moved_ > 0 || wait_.result == impl::wait_result::closed) return moved_;
  if (wait_.result != impl::wait_result::done) impl::throw_failed(wait_.result, *core_, "get_many");
  impl::replace(out_.front(), std::move(*wait_.item));
  return 1 + core_->get_many(out_.data() + 1, out_.size() - 1).moved;
}

template <class T>
bool join_awaiter<T>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  return core_->joined(wait_.start);
}

template <class T>
bool join_awaiter<T>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.join");
}

template <class T>
void join_awaiter<T>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.result == impl::wait_result::cancelled) throw cancelled{};
}

}  // namespace sluice
