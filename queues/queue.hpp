#pragma once
// The bounded queue that tasks and threads share: first in, first out, awaitable and blocking, with join.

#include <sluice/queues/queue_core.hpp>
#include <sluice/queues/thread_context.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice {

template <class T>
class queue;

struct queue_options {
  std::string name = "queue";  ///< stands in errors
};

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
  put_awaiter(impl::queue_core<T>& core, impl::task_context& context, T& value) noexcept
      : wait_(context, value), core_(&core) {}

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
  copy_put_awaiter(impl::queue_core<T>& core, impl::task_context& context, const T& value)
      : copy_(value), put_(core, context, copy_) {}

  bool await_ready() noexcept { return put_.await_ready(); }
  bool await_suspend(std::coroutine_handle<> suspended) noexcept { return put_.await_suspend(suspended); }
  void await_resume() { put_.await_resume(); }

 private:
  T copy_;
  put_awaiter<T> put_;
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
  explicit queue_operation(queue_core<T>& core, Argument*... argument) noexcept
      : core_(&core), argument_(argument...) {}

  Awaiter bind(task_context& context) && {
    queue_core<T>* const core = std::exchange(core_, nullptr);
    if (core == nullptr)
      throw std::logic_error("sluice: an operation on a queue was awaited twice: call it again instead");
    return std::apply([&](auto*... argument) { return Awaiter(*core, context, *argument...); }, argument_);
  }

 private:
  queue_core<T>* core_;
  std::tuple<Argument*...> argument_;
};

}  // namespace impl

/// A bounded first-in-first-out queue for any number of putters and getters, tasks and plain threads alike.
///
/// Every operation may be called from any thread. Progress: try_ forms and waits that need not wait are lock-free but for
/// one window: a thread preempted between claiming a cell and publishing it, a few instructions later, delays that cell.
/// Waiters are served in the order in which they registered. Takes effect: a put when it claims its cell (or is given
/// room), a get when it claims its item. Visibility: what was written before a put is visible after the get of its
/// item; what was written before task_done, after the join that it ends. Nothing is allocated after construction, except
/// by close_now.
/// Cancellation: a cancelled wait throws sluice::cancelled and had no effect: a put's value is still in the caller's object.
template <class T>
class queue {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "sluice::queue<T>: T must be a non-const object type");
  static_assert(
      std::is_nothrow_move_constructible_v<T>,
      "sluice::queue<T>: T must be nothrow move constructible, because an item that throws between leaving the "
      "caller and entering the queue would be lost; put a std::unique_ptr<T> instead");
  static_assert(
      alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
      "sluice::queue<T>: T is over-aligned, which coroutine frames do not honour; put a std::unique_ptr<T> instead");
  static_assert(std::is_nothrow_destructible_v<T>, "sluice::queue<T>: T's destructor must not throw");

  using core = impl::queue_core<T>;

 public:
  /// Room for exactly `capacity` items, 1 to 2^40. Throws std::invalid_argument, std::bad_alloc.
  explicit queue(std::size_t capacity, queue_options options = {}) : core_(capacity, std::move(options.name)) {}
  /// Waits that are pending print a sentence and abort. A put or task_done that is still returning is waited for; a get, try_get
  /// or close must have returned.
  ~queue() = default;
  queue(const queue&) = delete;
  queue& operator=(const queue&) = delete;

  /// Waits while full. Throws queue_closed. Moves from `value` only when it succeeds.
  auto put(T&& value) noexcept { return impl::queue_operation<T, put_awaiter<T>, T>(core_, &value); }
  /// The same with a copy, made before it waits.
  auto put(const T& value) noexcept { return impl::queue_operation<T, copy_put_awaiter<T>, const T>(core_, &value); }
  /// Waits while empty; gives T. Throws queue_closed once closed and drained.
  auto get() noexcept { return impl::queue_operation<T, get_awaiter<T, T>>(core_); }
  /// Waits while empty; gives std::optional<T>, which is empty once closed and drained.
  auto next() noexcept { return impl::queue_operation<T, get_awaiter<T, std::optional<T>>>(core_); }
  /// Like next(), but the item calls task_done() when it is destroyed.
  auto lease() noexcept { return impl::queue_operation<T, get_awaiter<T, std::optional<leased<T>>>>(core_); }
  /// Waits until unfinished() is 0 at a moment after it began to wait, or when it is called.
  auto join() noexcept { return impl::queue_operation<T, join_awaiter<T>>(core_); }

  /// False: full, or putters are waiting (a try never overtakes); the value is untouched. Throws queue_closed.
  [[nodiscard]] bool try_put(T&& value);
  [[nodiscard]] bool try_put(const T& value);
  /// Empty: the queue was empty at one moment of the call, or getters were waiting already.
  [[nodiscard]] std::optional<T> try_get();

  /// The waits for plain threads. With a duration they throw timed_out; zero or less tries once. On a worker: std::logic_error.
  void blocking_put(T&& value) {
    put_blocking(value, [] { return forever; });
  }
  void blocking_put(const T& value) { blocking_put(T(value)); }
  T blocking_get() { return block<get_awaiter<T, T>>("queue::blocking_get", "co_await q.get()", forever); }
  std::optional<T> blocking_next() {
    return block<get_awaiter<T, std::optional<T>>>("queue::blocking_next", "co_await q.next()", forever);
  }
  std::optional<leased<T>> blocking_lease() {
    return block<get_awaiter<T, std::optional<leased<T>>>>("queue::blocking_lease", "co_await q.lease()", forever);
  }
  void blocking_join() { block<join_awaiter<T>>("queue::blocking_join", "co_await q.join()", forever); }

  template <class Rep, class Period>
  void blocking_put(T&& value, std::chrono::duration<Rep, Period> patience) {
    put_blocking(value, [patience] { return impl::deadline_after(patience); });
  }
  template <class Rep, class Period>
  void blocking_put(const T& value, std::chrono::duration<Rep, Period> patience) {
    blocking_put(T(value), patience);
  }
  template <class Rep, class Period>
  T blocking_get(std::chrono::duration<Rep, Period> patience) {
    return block<get_awaiter<T, T>>("queue::blocking_get", "co_await q.get()", impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  std::optional<T> blocking_next(std::chrono::duration<Rep, Period> patience) {
    return block<get_awaiter<T, std::optional<T>>>("queue::blocking_next", "co_await q.next()",
                                                   impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  std::optional<leased<T>> blocking_lease(std::chrono::duration<Rep, Period> patience) {
    return block<get_awaiter<T, std::optional<leased<T>>>>("queue::blocking_lease", "co_await q.lease()",
                                                           impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  void blocking_join(std::chrono::duration<Rep, Period> patience) {
    block<join_awaiter<T>>("queue::blocking_join", "co_await q.join()", impl::deadline_after(patience));
  }

  /// `n` items that were got are finished. More than are unfinished: std::logic_error, and nothing has changed. Lock-free.
  void task_done(std::size_t n = 1) { core_.task_done(n); }
  /// From now on puts fail, and waiting putters fail with their values untouched; gets drain, then end. Idempotent.
  void close() noexcept { core_.close(); }
  /// Closes, and hands back what was still queued, which counts as done. Getters that were waiting are served first. Throws
  /// std::bad_alloc: then the queue is closed, and the items stay queued.
  std::vector<T> close_now() { return core_.close_now(); }

  /// Snapshots, exact at rest.
  std::size_t size() const noexcept { return core_.items().size(); }
  std::size_t capacity() const noexcept { return core_.items().capacity(); }
  std::size_t unfinished() const noexcept { return core_.unfinished(); }
  bool empty() const noexcept { return size() == 0; }
  bool full() const noexcept { return size() == capacity(); }
  bool closed() const noexcept { return core_.items().is_closed(); }

 private:
  static constexpr impl::time_point forever = impl::time_point::max();

  template <class Awaiter, class... Argument>
  decltype(auto) block(const char* call, const char* instead, impl::time_point deadline, Argument&... argument) {
    impl::refuse_on_worker(call, instead);
    impl::thread_context context;
    Awaiter awaiter(core_, context, argument...);
    return impl::block_on_awaiter(awaiter, context, deadline);
  }

  template <class Deadline>
  void put_blocking(T& value, Deadline deadline) {
    constexpr const char* call = "queue::blocking_put";
    constexpr const char* instead = "co_await q.put(x)";
    impl::refuse_on_worker(call, instead);
    const impl::ring_status status = core_.try_put(value);
    if (status == impl::ring_status::done || status == impl::ring_status::done_kick) return;
    block<put_awaiter<T>>(call, instead, deadline(), value);
  }

  core core_;
};

// -----------------------------------------------------------------------------------------------------------

namespace impl {

template <class T>
[[noreturn]] void throw_closed(const queue_core<T>& core, const char* operation) {
  throw queue_closed(std::string("sluice: ") + operation + " on queue '" + core.name() + "', which is closed");
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
  if (status == impl::ring_status::done || status == impl::ring_status::done_kick) {
    wait_.result = impl::wait_result::done;
    return true;
  }
  wait_.result = status == impl::ring_status::closed ? impl::wait_result::closed : impl::wait_result::none;
  return status == impl::ring_status::closed;
}

template <class T, class Result>
bool get_awaiter<T, Result>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.get");
}

template <class T, class Result>
Result get_awaiter<T, Result>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.result == impl::wait_result::cancelled) throw cancelled{};
  if constexpr (std::is_same_v<Result, T>) {
    if (wait_.result == impl::wait_result::closed) impl::throw_closed(*core_, "get");
    return std::move(*wait_.item);
  } else {
    if (wait_.result == impl::wait_result::closed) return std::nullopt;
    if constexpr (std::is_same_v<Result, std::optional<T>>) {
      return std::move(wait_.item);
    } else {
      return leased<T>(*core_, std::move(*wait_.item));
    }
  }
}

template <class T>
bool put_awaiter<T>::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  const impl::ring_status status = core_->try_put(*wait_.value);
  if (status == impl::ring_status::done || status == impl::ring_status::done_kick) {
    wait_.result = impl::wait_result::done;
    return true;
  }
  wait_.result = status == impl::ring_status::closed ? impl::wait_result::closed : impl::wait_result::none;
  return status == impl::ring_status::closed;
}

template <class T>
bool put_awaiter<T>::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "queue.put");
}

template <class T>
void put_awaiter<T>::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.result == impl::wait_result::cancelled) throw cancelled{};
  if (wait_.result == impl::wait_result::closed) impl::throw_closed(*core_, "put");
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

template <class T>
bool queue<T>::try_put(T&& value) {
  const impl::ring_status status = core_.try_put(value);
  if (status == impl::ring_status::closed) impl::throw_closed(core_, "try_put");
  return status == impl::ring_status::done || status == impl::ring_status::done_kick;
}

template <class T>
bool queue<T>::try_put(const T& value) {
  T copy(value);
  return try_put(std::move(copy));
}

template <class T>
std::optional<T> queue<T>::try_get() {
  std::optional<T> result;
  core_.try_get([&](T&& item) { result.emplace(std::move(item)); });
  return result;
}

}  // namespace sluice
