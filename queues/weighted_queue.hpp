#pragma once
// A queue whose capacity is a weight, such as bytes: a semaphore for the weight, and an unbounded queue for the items.
//
// I1  A put takes permits for its weight before it puts; a get gives them back after it has the item. So what is queued never weighs more than
//     the capacity (unless that shrank since).
// I2  A close shuts the items, then the room: each waiting put goes on, and finds the items shut.
// I3  A put whose turn has come does not wait for room that there will never be: the capacity has shrunk below its weight, and it is refused.

#include <sluice/queues/atomic.hpp>
#include <sluice/queues/blocking_range.hpp>
#include <sluice/queues/fail.hpp>
#include <sluice/queues/item_store.hpp>
#include <sluice/queues/queue_core.hpp>
#include <sluice/queues/queue_options.hpp>
#include <sluice/queues/queue_waits.hpp>
#include <sluice/queues/ring.hpp>
#include <sluice/queues/semaphore.hpp>
#include <sluice/queues/thread_context.hpp>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice {

namespace impl {

template <class T>
struct weighed {
  T item;
  std::size_t weight;
};

template <class T>
class weighted_core {
 public:
  using items_core = queue_core<weighed<T>, ring<weighed<T>>>;

  weighted_core(std::size_t capacity, const std::string& name)
      : room_(capacity, true), items_(queue_kind::unbounded, 0, name) {}
  ~weighted_core();

  /// Throws std::invalid_argument where `weight` can never fit.
  void check_weight(std::size_t weight) const;
  [[noreturn]] void throw_too_heavy(std::size_t weight) const;
  /// Puts what there is room for, and that room was taken. Throws queue_closed, std::bad_alloc: then `value` is untouched.
  void put(T& value, std::size_t weight);
  T unpack(weighed<T>&& got) noexcept;
  void close() noexcept;

  semaphore_core& room() noexcept { return room_; }
  const semaphore_core& room() const noexcept { return room_; }
  items_core& items() noexcept { return items_; }
  const items_core& items() const noexcept { return items_; }
  std::size_t capacity() const noexcept { return room_.total(); }

 private:
  semaphore_core room_;
  items_core items_;
};

/// What `co_await q.put(x)` waits with. Value: T&, or T for a copy.
template <class T, class Value>
class weighted_put_awaiter {
 public:
  static constexpr bool is_arm = true;  // of a select

  weighted_put_awaiter(weighted_core<T>& core, task_context& context, Value value, std::size_t weight)
      : value_(static_cast<Value&&>(value)), core_(&core), context_(&context), room_(core.room(), weight, context) {}

  bool await_ready() noexcept {
    refused_ = !context_->cancelled() && core_->items().items().is_closed();
    return refused_ || room_.await_ready();
  }
  bool await_suspend(std::coroutine_handle<> suspended) noexcept { return room_.await_suspend(suspended); }
  void await_resume();

 private:
  Value value_;
  weighted_core<T>* core_;
  task_context* context_;
  acquire_awaiter room_;
  bool refused_ = false;
};

/// What `co_await q.get()` and `q.next()` wait with. Result is T or optional<T>.
template <class T, class Result>
class weighted_get_awaiter {
  using items_core = typename weighted_core<T>::items_core;
  using inner_result = std::conditional_t<std::is_same_v<Result, T>, weighed<T>, std::optional<weighed<T>>>;

 public:
  static constexpr bool is_arm = true;  // of a select

  weighted_get_awaiter(weighted_core<T>& core, task_context& context) noexcept
      : core_(&core), get_(core.items(), context) {}

  bool await_ready() noexcept { return get_.await_ready(); }
  bool await_suspend(std::coroutine_handle<> suspended) noexcept { return get_.await_suspend(suspended); }
  Result await_resume() {
    if constexpr (std::is_same_v<Result, T>) {
      return core_->unpack(get_.await_resume());
    } else {
      auto got = get_.await_resume();
      return got ? Result(core_->unpack(std::move(*got))) : std::nullopt;
    }
  }

 private:
  weighted_core<T>* core_;
  get_awaiter<items_core, inner_result> get_;
};

/// A wait that has not begun: bind() gives it to a task. Awaited once.
template <class T, class Awaiter, class... Argument>
class [[nodiscard]] weighted_operation {
 public:
  explicit weighted_operation(weighted_core<T>& core, Argument... argument)
      : core_(&core), argument_(static_cast<Argument&&>(argument)...) {}
  weighted_operation(weighted_operation&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), argument_(std::move(other.argument_)) {}

  Awaiter bind(task_context& context) && {
    weighted_core<T>* const core = std::exchange(core_, nullptr);
    if (core == nullptr)
      throw std::logic_error("sluice: an operation on a queue was awaited twice: call it again instead");
    return std::apply([&](auto&... argument) { return Awaiter(*core, context, static_cast<Argument&&>(argument)...); },
                      argument_);
  }

 private:
  weighted_core<T>* core_;
  std::tuple<Argument...> argument_;
};

}  // namespace impl

/// A first-in-first-out queue with room for a total weight instead of a number of items: bytes, rows, cents.
///
/// The weigher is asked once for each item, in the thread that puts, before anything is held; it may throw, and the put had no effect then. An
/// item that is heavier than the whole capacity is refused: std::invalid_argument. Waiting puts get room first come, first served, a heavy one
/// at the head holds up lighter ones behind it, so it cannot starve; they put when they go on, so the order of items that waited for room is the
/// order in which their tasks ran. The rest as in queue: any thread, cancellation, join, close; a put that failed leaves its value. It has no
/// batches, slots, looks and leases. An item that weighs nothing waits for nobody. Memory: the items' places double when there are too few, as in
/// an unbounded queue.
template <class T>
class weighted_queue : private impl::queue_item<T> {
 public:
  using weigher = std::function<std::size_t(const T&)>;

  /// Room for `capacity` in all, 1 to 2^60. Throws std::invalid_argument, also for a weigher that is empty, and std::bad_alloc.
  weighted_queue(std::size_t capacity, weigher weigh, queue_options options = {})
      : core_(checked(capacity, options.name), options.name), weigh_(std::move(weigh)) {
    if (!weigh_) throw std::invalid_argument("sluice: a weighted_queue was given no weigher: give it a function");
  }
  weighted_queue(const weighted_queue&) = delete;
  weighted_queue& operator=(const weighted_queue&) = delete;

  /// Waits while there is not enough room. Throws queue_closed, std::bad_alloc. Moves from `value` only when it succeeds.
  auto put(T&& value) {
    return impl::weighted_operation<T, impl::weighted_put_awaiter<T, T&>, T&, std::size_t>(core_, value,
                                                                                           weight_of(value));
  }
  /// The same with a copy, made by this call.
  auto put(const T& value) {
    return impl::weighted_operation<T, impl::weighted_put_awaiter<T, T>, T, std::size_t>(core_, T(value),
                                                                                         weight_of(value));
  }
  /// Waits while empty; gives T. Throws queue_closed once closed and drained.
  auto get() noexcept { return impl::weighted_operation<T, impl::weighted_get_awaiter<T, T>>(core_); }
  /// Waits while empty; gives std::optional<T>, which is empty once closed and drained.
  auto next() noexcept { return impl::weighted_operation<T, impl::weighted_get_awaiter<T, std::optional<T>>>(core_); }
  /// As of queue.
  auto join() noexcept { return impl::queue_operation<items_core, join_awaiter<items_core>>(core_.items()); }

  /// False: not enough room, or others wait for it; the value is untouched. Throws queue_closed, std::invalid_argument.
  [[nodiscard]] bool try_put(T&& value);
  [[nodiscard]] bool try_put(const T& value) { return try_put(T(value)); }
  /// Empty: as queue::try_get.
  [[nodiscard]] std::optional<T> try_get();

  /// The waits for plain threads. With a duration they throw timed_out; zero or less tries once. On a worker: std::logic_error.
  void blocking_put(T&& value) { put_blocking(value, impl::time_point::max()); }
  void blocking_put(const T& value) { blocking_put(T(value)); }
  T blocking_get() { return block<impl::weighted_get_awaiter<T, T>>("blocking_get", "co_await q.get()", forever); }
  std::optional<T> blocking_next() {
    return block<impl::weighted_get_awaiter<T, std::optional<T>>>("blocking_next", "co_await q.next()", forever);
  }
  /// As of queue.
  blocking_range<weighted_queue> blocking_items() noexcept { return blocking_range<weighted_queue>(*this); }
  void blocking_join() { join_blocking(forever); }
  template <class Rep, class Period>
  void blocking_put(T&& value, std::chrono::duration<Rep, Period> patience) {
    put_blocking(value, impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  void blocking_put(const T& value, std::chrono::duration<Rep, Period> patience) {
    blocking_put(T(value), patience);
  }
  template <class Rep, class Period>
  T blocking_get(std::chrono::duration<Rep, Period> patience) {
    return block<impl::weighted_get_awaiter<T, T>>("blocking_get", "co_await q.get()", impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  std::optional<T> blocking_next(std::chrono::duration<Rep, Period> patience) {
    return block<impl::weighted_get_awaiter<T, std::optional<T>>>("blocking_next", "co_await q.next()",
                                                                  impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  void blocking_join(std::chrono::duration<Rep, Period> patience) {
    join_blocking(impl::deadline_after(patience));
  }

  /// All of these as of queue.
  void task_done(std::size_t n = 1) { core_.items().task_done(n); }
  void close() noexcept { core_.close(); }
  void close(std::exception_ptr cause) {
    core_.items().give_cause(std::move(cause));
    core_.close();
  }
  std::vector<T> close_now();
  std::exception_ptr cause() const noexcept { return closed() ? core_.items().cause() : std::exception_ptr(); }
  /// Room for `capacity` in all from now on; less than what is queued drains, and a put that waits and is heavier than all of it fails when its
  /// turn comes: std::invalid_argument. 0, more than 2^60: std::invalid_argument.
  void set_capacity(std::size_t capacity) { core_.room().resize(checked(capacity, core_.items().name())); }

  /// Snapshots, exact at rest. weight(): of what is queued, and of what is being put.
  std::size_t size() const noexcept { return core_.items().items().size(); }
  std::size_t capacity() const noexcept { return core_.capacity(); }
  std::size_t weight() const noexcept { return core_.room().out(); }
  std::size_t unfinished() const noexcept { return core_.items().unfinished(); }
  bool empty() const noexcept { return size() == 0; }
  bool closed() const noexcept { return core_.items().items().is_closed(); }

 private:
  using items_core = typename impl::weighted_core<T>::items_core;
  static constexpr impl::time_point forever = impl::time_point::max();

  static std::size_t checked(std::size_t capacity, const std::string& called);
  std::size_t weight_of(const T& value) const {
    const std::size_t weight = weigh_(value);
    core_.check_weight(weight);
    return weight;
  }
  template <class Awaiter, class... Argument>
  auto block(const char* call, const char* instead, impl::time_point deadline, Argument&&... argument) {
    impl::refuse_on_worker(call, instead);
    impl::thread_context context;
    Awaiter awaiter(core_, context, static_cast<Argument&&>(argument)...);
    return impl::block_on_awaiter(awaiter, context, deadline);
  }
  void put_blocking(T& value, impl::time_point deadline) {
    block<impl::weighted_put_awaiter<T, T&>>("blocking_put", "co_await q.put(x)", deadline, value, weight_of(value));
  }
  void join_blocking(impl::time_point deadline);

  impl::weighted_core<T> core_;
  weigher weigh_;
};

// -----------------------------------------------------------------------------------------------------------

namespace impl {

template <class T>
weighted_core<T>::~weighted_core() {
  if (room_.waiting() == 0) return;
  fail("queue '" + items_.name() + "' is destroyed while somebody waits on it (" + std::to_string(room_.waiting()) +
       " put): close it and let them return first, or declare it before the runtime, which cancels its tasks when it "
       "goes");
}

template <class T>
void weighted_core<T>::check_weight(std::size_t weight) const {
  if (weight > capacity() && !items_.items().is_closed()) throw_too_heavy(weight);
}

template <class T>
void weighted_core<T>::throw_too_heavy(std::size_t weight) const {
  throw std::invalid_argument("sluice: put on queue '" + items_.name() + "' of an item that weighs " +
                              std::to_string(weight) + ", more than the whole capacity of " +
                              std::to_string(capacity()) +
                              (weight > std::size_t{1} << 60 ? ": was a negative number converted?"
                                                             : ": split it, or give the queue more room"));
}

template <class T>
void weighted_core<T>::put(T& value, std::size_t weight) {
  weighed<T> packed{std::move(value), weight};
  const item_status status = items_.begin_put(packed);
  if (is_done(status)) [[likely]]
    return;  // the queue may be gone
  replace(value, std::move(packed.item));
  room_.give_back(weight);
  items_.throw_failed(status == item_status::closed ? wait_result::closed : wait_result::no_memory, "put");
}

template <class T>
T weighted_core<T>::unpack(weighed<T>&& got) noexcept {
  room_.give_back(got.weight);
  return std::move(got.item);
}

template <class T>
void weighted_core<T>::close() noexcept {
  items_.close();
  room_.shut();
}

template <class T, class Value>
void weighted_put_awaiter<T, Value>::await_resume() {
  if (refused_) core_->items().throw_closed("put");
  permit held = room_.await_resume();
  if (held.count() != room_.wanted()) {
    if (room_.is_shut()) core_->items().throw_closed("put");
    core_->throw_too_heavy(room_.wanted());
  }
  held.forget();
  core_->put(value_, room_.wanted());
}

}  // namespace impl

template <class T>
std::size_t weighted_queue<T>::checked(std::size_t capacity, const std::string& called) {
  constexpr std::size_t largest = std::size_t{1} << 60;
  if (capacity >= 1 && capacity <= largest) return capacity;
  throw std::invalid_argument("sluice: the capacity of queue '" + called + "' must be between 1 and 2^60, not " +
                              std::to_string(capacity) +
                              (capacity == 0 ? ": give at least 1" : ": was a negative number converted?"));
}

template <class T>
bool weighted_queue<T>::try_put(T&& value) {
  if (closed()) core_.items().throw_closed("try_put");
  const std::size_t weight = weight_of(value);
  if (!core_.room().try_take(weight)) return false;
  core_.put(value, weight);
  return true;
}

template <class T>
std::optional<T> weighted_queue<T>::try_get() {
  std::optional<impl::weighed<T>> got;
  core_.items().try_get([&](impl::weighed<T>&& item) { got.emplace(std::move(item)); });
  return got ? std::optional<T>(core_.unpack(std::move(*got))) : std::nullopt;
}

template <class T>
std::vector<T> weighted_queue<T>::close_now() {
  core_.close();
  std::vector<T> items;
  items.reserve(size());  // no more will come
  for (auto& one : core_.items().close_now()) items.push_back(core_.unpack(std::move(one)));
  return items;
}

template <class T>
void weighted_queue<T>::join_blocking(impl::time_point deadline) {
  impl::refuse_on_worker("blocking_join", "co_await q.join()");
  impl::thread_context context;
  join_awaiter<items_core> awaiter(core_.items(), context);
  impl::block_on_awaiter(awaiter, context, deadline);
}

}  // namespace sluice
