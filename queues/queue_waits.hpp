#pragma once
// What the waits of a queue wait with. Made by queue_face.hpp. Core: a queue_core.

#include <sluice/queues/item_store.hpp>
#include <sluice/queues/late.hpp>
#include <sluice/queues/queue_base.hpp>
#include <sluice/queues/queue_waiters.hpp>
#include <sluice/queues/thread_context.hpp>

#include <coroutine>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
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

  leased(impl::queue_base& core, T&& item) noexcept : core_(&core), item_(std::move(item)) {}

  impl::queue_base* core_;
  T item_;
};

/// What `co_await q.get()`, `q.next()` and `q.lease()` wait with. Result is T, optional<T> or optional<leased<T>>.
template <class Core, class Result>
class get_awaiter {
  using T = typename Core::item_type;

 public:
  static constexpr bool is_arm = true;  // of a select

  get_awaiter(Core& core, impl::task_context& context) noexcept : core_(&core), context_(&context) {}

  impl::task_context& context() const noexcept { return *context_; }
  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  Result await_resume();

 private:
  Core* core_;
  impl::task_context* context_;
  impl::late<T> item_;
  impl::wait_result result_;  // none: it has registered, and the waiter knows
  impl::late<impl::get_waiter<T>> wait_;
};

/// What `co_await q.put(x)` waits with.
template <class Core>
class put_awaiter {
  using T = typename Core::item_type;

 public:
  static constexpr bool is_arm = true;  // of a select

  put_awaiter(Core& core, impl::task_context& context, T& value) noexcept
      : core_(&core), context_(&context), value_(&value) {}

  impl::task_context& context() const noexcept { return *context_; }
  /// Throws std::logic_error where a put cannot be an arm.
  void check_arm() const;
  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  void await_resume();

 private:
  Core* core_;
  impl::task_context* context_;
  T* value_;
  impl::wait_result result_;  // likewise
  impl::late<impl::put_waiter<T>> wait_;
};

/// The same for `q.put(const T&)`: the copy is made first, and may throw.
template <class Core>
class copy_put_awaiter {
  using T = typename Core::item_type;

 public:
  static constexpr bool is_arm = true;  // of a select

  copy_put_awaiter(Core& core, impl::task_context& context, const T& value)
      : copy_(value), put_(core, context, copy_) {}

  void check_arm() const { put_.check_arm(); }
  bool await_ready() noexcept { return put_.await_ready(); }
  bool await_suspend(std::coroutine_handle<> suspended) noexcept { return put_.await_suspend(suspended); }
  void await_resume() { put_.await_resume(); }

 private:
  T copy_;
  put_awaiter<Core> put_;
};

/// What `co_await q.put_many(items)` waits with.
template <class Core>
class put_many_awaiter {
  using T = typename Core::item_type;

 public:
  put_many_awaiter(Core& core, impl::task_context& context, std::span<T> items) noexcept
      : wait_(context, items.data(), items.size()), core_(&core) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  std::size_t await_resume();
  bool has_part() const noexcept { return wait_.moved > 0; }

 private:
  impl::put_many_waiter<T> wait_;
  Core* core_;
};

/// What `co_await q.get_many(out)` waits with.
template <class Core>
class get_many_awaiter {
  using T = typename Core::item_type;

 public:
  get_many_awaiter(Core& core, impl::task_context& context, std::span<T> out) noexcept
      : wait_(context, item_), core_(&core), out_(out) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  std::size_t await_resume();

 private:
  impl::late<T> item_;  // the first, where it was waited for; what else is there is taken afterwards
  impl::get_waiter<T> wait_;
  Core* core_;
  std::span<T> out_;
  std::size_t moved_ = 0;
};

/// What `co_await q.join()` waits with.
template <class Core>
class join_awaiter {
 public:
  join_awaiter(Core& core, impl::task_context& context) noexcept : core_(&core), wait_(context, 0) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  void await_resume();

 private:
  Core* core_;
  impl::join_waiter wait_;
};

namespace impl {

/// An operation on a queue that has not begun: bind() gives it to a task. Awaited once.
template <class Core, class Awaiter, class... Argument>
class [[nodiscard]] queue_operation {
 public:
  explicit queue_operation(Core& core, Argument... argument) noexcept : core_(&core), argument_(argument...) {}
  queue_operation(queue_operation&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), argument_(other.argument_) {}

  Awaiter bind(task_context& context) && {
    Core* const core = std::exchange(core_, nullptr);
    if (core == nullptr)
      throw std::logic_error("sluice: an operation on a queue was awaited twice: call it again instead");
    return std::apply([&](auto... argument) { return Awaiter(*core, context, dereferenced(argument)...); }, argument_);
  }

 private:
  template <class Value>
  static Value& dereferenced(Value* value) noexcept {
    return *value;
  }
  template <class T>
  static std::span<T> dereferenced(std::span<T> items) noexcept {
    return items;
  }

  Core* core_;
  std::tuple<Argument...> argument_;
};

}  // namespace impl

// -----------------------------------------------------------------------------------------------------------

namespace impl {

/// Whether waiting would not help.
inline bool has_failed(item_status status) noexcept {
  return status == item_status::closed || status == item_status::full || status == item_status::no_memory;
}
/// What a wait has for a result before it registers.
inline wait_result result_of(item_status status) noexcept {
  if (is_done(status)) [[likely]]
    return wait_result::done;
  switch (status) {
    case item_status::closed:
      return wait_result::closed;
    case item_status::full:
      return wait_result::full;
    case item_status::no_memory:
      return wait_result::no_memory;
    default:
      return wait_result::none;
  }
}

}  // namespace impl

template <class T>
leased<T>::~leased() {
  if (core_ != nullptr) core_->end_task("the item was leased: its lease calls task_done itself");
}

template <class Core, class Result>
bool get_awaiter<Core, Result>::await_ready() noexcept {
  if (context_->cancelled()) {
    result_ = impl::wait_result::cancelled;
    return true;
  }
  result_ = impl::result_of(core_->try_get([this](T&& item) { item_.emplace(std::move(item)); }));
  return result_ != impl::wait_result::none;
}

template <class Core, class Result>
bool get_awaiter<Core, Result>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  context_->handle = suspended;
  result_ = impl::wait_result::none;
  return core_->wait_first(wait_.emplace(*context_, item_), "queue.get");
}

template <class Core, class Result>
Result get_awaiter<Core, Result>::await_resume() {
  if (result_ == impl::wait_result::none) result_ = impl::waiter_hub::resumed(*wait_);
  if constexpr (std::is_same_v<Result, T>) {
    if (result_ != impl::wait_result::done) [[unlikely]]
      core_->throw_failed(result_, "get");
    return std::move(*item_);
  } else {
    if (result_ != impl::wait_result::done) [[unlikely]] {
      if (result_ == impl::wait_result::closed) return std::nullopt;
      core_->throw_failed(result_, "next");
    }
    if constexpr (std::is_same_v<Result, std::optional<T>>) {
      return std::optional<T>(std::move(*item_));
    } else {
      return leased<T>(*core_, std::move(*item_));
    }
  }
}

template <class Core>
void put_awaiter<Core>::check_arm() const {
  if (core_->kind() != impl::queue_kind::rendezvous) return;
  throw std::logic_error("sluice: select was given a put on queue '" + core_->name() +
                         "', which is a rendezvous: select the get on the other side, or give the queue room");
}

template <class Core>
bool put_awaiter<Core>::await_ready() noexcept {
  if (context_->cancelled()) {
    result_ = impl::wait_result::cancelled;
    return true;
  }
  result_ = impl::result_of(core_->begin_put(*value_));
  return result_ != impl::wait_result::none;
}

template <class Core>
bool put_awaiter<Core>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  context_->handle = suspended;
  result_ = impl::wait_result::none;
  return core_->wait_first(wait_.emplace(*context_, *value_), "queue.put");
}

template <class Core>
void put_awaiter<Core>::await_resume() {
  if (result_ == impl::wait_result::none) result_ = impl::waiter_hub::resumed(*wait_);
  if (result_ != impl::wait_result::done) [[unlikely]]
    core_->throw_failed(result_, "put");
}

template <class Core>
bool put_many_awaiter<Core>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  const impl::item_batch step = core_->put_many(wait_.items, wait_.count);
  wait_.moved = step.moved;
  wait_.result = impl::result_of(step.status);
  return wait_.moved == wait_.count || impl::has_failed(step.status);
}

template <class Core>
bool put_many_awaiter<Core>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.put_many");
}

template <class Core>
std::size_t put_many_awaiter<Core>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.moved == 0 && wait_.result != impl::wait_result::done) core_->throw_failed(wait_.result, "put_many");
  return wait_.moved;
}

template <class Core>
bool get_many_awaiter<Core>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  const impl::item_batch step = core_->get_many(out_.data(), out_.size());
  moved_ = step.moved;
  wait_.result = impl::result_of(step.status);
  return moved_ > 0 || impl::has_failed(step.status);
}

template <class Core>
bool get_many_awaiter<Core>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait_first(wait_, "queue.get_many");
}

template <class Core>
std::size_t get_many_awaiter<Core>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (moved_ > 0 || wait_.result == impl::wait_result::closed) return moved_;
  if (wait_.result != impl::wait_result::done) core_->throw_failed(wait_.result, "get_many");
  impl::replace(out_.front(), std::move(*item_));
  return 1 + core_->get_many(out_.data() + 1, out_.size() - 1).moved;
}

template <class Core>
bool join_awaiter<Core>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  return core_->joined(wait_.start);
}

template <class Core>
bool join_awaiter<Core>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.join");
}

template <class Core>
void join_awaiter<Core>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.result == impl::wait_result::cancelled) throw cancelled{};
}

}  // namespace sluice
