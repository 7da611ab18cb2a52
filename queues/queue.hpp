#pragma once
// The queue that tasks and threads share: bounded, unbounded or a rendezvous; first in, first out, awaitable and blocking, with join.

#include <sluice/queues/queue_core.hpp>
#include <sluice/queues/queue_waits.hpp>
#include <sluice/queues/thread_context.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice {

struct queue_options {
  std::string name = "queue";  ///< stands in errors
};

struct unbounded_t {
  explicit unbounded_t() = default;
};
/// For a queue that never makes a put wait, and grows instead.
inline constexpr unbounded_t unbounded{};

struct rendezvous_t {
  explicit rendezvous_t() = default;
};
/// For a queue that holds nothing: each put waits for a get.
inline constexpr rendezvous_t rendezvous{};

/// A first-in-first-out queue for any number of putters and getters, tasks and plain threads alike.
///
/// Every operation may be called from any thread. Progress: try_ forms and waits that need not wait are lock-free but for
/// one window: a thread preempted between claiming a cell and publishing it, a few instructions later, delays that cell.
/// Waiters are served in the order in which they registered. Takes effect: a put when it claims its cell (or is given
/// room), a get when it claims its item. Visibility: what was written before a put is visible after the get of its
/// item; what was written before task_done, after the join that it ends. Nothing is allocated after construction, except
/// by close_now and set_capacity, and by a put into an unbounded queue that is full: it doubles the room, and moves the items there.
/// Not lock-free, but a short wait for other threads: puts and gets while items move to more room; set_capacity; a put that makes
/// an unbounded queue grow; puts and gets of a rendezvous that try to meet somebody. The moves and destructors of T that these make
/// must not use the queue; get_many destroys what lies in its span only when nobody waits for it.
/// In its life a queue takes up to 2^55 items: 22 years at 50 million a second.
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
  explicit queue(std::size_t capacity, queue_options options = {})
      : core_(impl::queue_kind::bounded, capacity, std::move(options.name)) {}
  /// Puts never wait, but may throw std::bad_alloc; then the value is untouched. The room that a peak took is given back at the end.
  explicit queue(unbounded_t, queue_options options = {})
      : core_(impl::queue_kind::unbounded, 0, std::move(options.name)) {}
  /// Each put meets a get, and returns when its item has been taken; a try succeeds only if the other side waits.
  explicit queue(rendezvous_t, queue_options options = {})
      : core_(impl::queue_kind::rendezvous, 0, std::move(options.name)) {}
  /// Waits that are pending print a sentence and abort. A put or task_done that is still returning is waited for; a get, try_get
  /// or close must have returned.
  ~queue() = default;
  queue(const queue&) = delete;
  queue& operator=(const queue&) = delete;

  /// Waits while full. Throws queue_closed. Moves from `value` only when it succeeds.
  auto put(T&& value) noexcept { return impl::queue_operation<T, put_awaiter<T>, T*>(core_, &value); }
  /// The same with a copy, made before it waits.
  auto put(const T& value) noexcept { return impl::queue_operation<T, copy_put_awaiter<T>, const T*>(core_, &value); }
  /// Waits while empty; gives T. Throws queue_closed once closed and drained.
  auto get() noexcept { return impl::queue_operation<T, get_awaiter<T, T>>(core_); }
  /// Waits while empty; gives std::optional<T>, which is empty once closed and drained.
  auto next() noexcept { return impl::queue_operation<T, get_awaiter<T, std::optional<T>>>(core_); }
  /// Like next(), but the item calls task_done() when it is destroyed.
  auto lease() noexcept { return impl::queue_operation<T, get_awaiter<T, std::optional<leased<T>>>>(core_); }
  /// Moves `items` in, in order, and waits whenever there is no room; gives how many. Others' items may come between. Fewer than all only if
  /// closed, cancelled, timed out or out of memory midway; if nothing was moved it throws, as put does.
  auto put_many(std::span<T> items) noexcept {
    return impl::queue_operation<T, put_many_awaiter<T>, std::span<T>>(core_, items);
  }
  /// Waits while empty, then takes what is there, up to out.size() items, over those in `out`; gives how many: at least 1, and 0
  /// once closed and drained. An empty `out`: std::invalid_argument.
  auto get_many(std::span<T> out) {
    check_out(out);
    return impl::queue_operation<T, get_many_awaiter<T>, std::span<T>>(core_, out);
  }
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
  std::size_t blocking_put_many(std::span<T> items) {
    return block<put_many_awaiter<T>>("queue::blocking_put_many", "co_await q.put_many(items)", forever, items);
  }
  std::size_t blocking_get_many(std::span<T> out) {
    check_out(out);
    return block<get_many_awaiter<T>>("queue::blocking_get_many", "co_await q.get_many(out)", forever, out);
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
  std::size_t blocking_put_many(std::span<T> items, std::chrono::duration<Rep, Period> patience) {
    return block<put_many_awaiter<T>>("queue::blocking_put_many", "co_await q.put_many(items)",
                                      impl::deadline_after(patience), items);
  }
  template <class Rep, class Period>
  std::size_t blocking_get_many(std::span<T> out, std::chrono::duration<Rep, Period> patience) {
    check_out(out);
    return block<get_many_awaiter<T>>("queue::blocking_get_many", "co_await q.get_many(out)",
                                      impl::deadline_after(patience), out);
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

  /// Room for exactly `capacity` items from now on, 1 to 2^40. Shrinking drops nothing: puts wait until fewer are left; one that is on its
  /// way meanwhile may still get in. Growing lets waiting putters in before it returns. std::invalid_argument, std::bad_alloc;
  /// std::logic_error on an unbounded queue and on a rendezvous. Any thread.
  void set_capacity(std::size_t capacity) { core_.set_capacity(capacity); }

  /// Snapshots, exact at rest.
  std::size_t size() const noexcept { return core_.items().size(); }
  /// SIZE_MAX when unbounded, 0 when a rendezvous.
  std::size_t capacity() const noexcept { return core_.capacity(); }
  std::size_t unfinished() const noexcept { return core_.unfinished(); }
  bool empty() const noexcept { return size() == 0; }
  /// Whether a put would have to wait for a get.
  bool full() const noexcept { return size() >= capacity(); }
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
    if (impl::is_done(core_.try_put(value))) return;
    block<put_awaiter<T>>(call, instead, deadline(), value);
  }

  static void check_out(std::span<T> out) {
    if (!out.empty()) return;
    throw std::invalid_argument("sluice: get_many was given an empty span: give it room for one item or more");
  }

  core core_;
};

// -----------------------------------------------------------------------------------------------------------

template <class T>
bool queue<T>::try_put(T&& value) {
  const impl::ring_status status = core_.try_put(value);
  if (status == impl::ring_status::closed) impl::throw_closed(core_, "try_put");
  if (status == impl::ring_status::no_memory) throw std::bad_alloc();
  return impl::is_done(status);
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
