#pragma once
// What the user sees of a queue, whatever its order: the base of queue (queue.hpp) and lifo_queue (lifo_queue.hpp).

#include <sluice/queues/blocking_range.hpp>
#include <sluice/queues/overflow.hpp>
#include <sluice/queues/queue_core.hpp>
#include <sluice/queues/queue_slots.hpp>
#include <sluice/queues/queue_waits.hpp>
#include <sluice/queues/thread_context.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice {

/// What became of the items of a queue that was closed.
template <class T>
struct close_report {
  std::vector<T> drained;  ///< was queued: counts as done now
  std::size_t refused =
      0;  ///< puts that waited, and failed: their values are where they were. Also those of close() before
  std::size_t in_flight = 0;  ///< was got before, and is not done
};

}  // namespace sluice

namespace sluice::impl {

/// The operations of a queue of T.
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
template <class T, class Core>
class queue_face : private queue_item<T> {
 public:
  using slot = queue_slot<Core>;

  queue_face(const queue_face&) = delete;
  queue_face& operator=(const queue_face&) = delete;

  /// Waits while full. Throws queue_closed. Moves from `value` only when it succeeds, and refers to it until then: who keeps the call
  /// to await it later keeps the value, too.
  auto put(T&& value) noexcept { return queue_operation<Core, put_awaiter<Core>, T*>(core_, &value); }
  /// The same with a copy, made when it is awaited and before it waits.
  auto put(const T& value) noexcept { return queue_operation<Core, copy_put_awaiter<Core>, const T*>(core_, &value); }
  /// Waits while empty; gives T. Throws queue_closed once closed and drained.
  auto get() noexcept { return queue_operation<Core, get_awaiter<Core, T>>(core_); }
  /// Waits while empty; gives std::optional<T>, which is empty once closed and drained.
  auto next() noexcept { return queue_operation<Core, get_awaiter<Core, std::optional<T>>>(core_); }
  /// Like next(), but the item calls task_done() when it is destroyed.
  auto lease() noexcept { return queue_operation<Core, get_awaiter<Core, std::optional<leased<T>>>>(core_); }
  /// Moves `items` in, in order, and waits whenever there is no room; gives how many. Others' items may come between. Fewer than all only if
  /// closed, cancelled, timed out or out of memory midway, or full where the policy is to reject; if nothing was moved it throws, as put does.
  /// What an overflow policy drops counts as moved.
  auto put_many(std::span<T> items) noexcept {
    return queue_operation<Core, put_many_awaiter<Core>, std::span<T>>(core_, items);
  }
  /// Waits while empty, then takes what is there, up to out.size() items, over those in `out`; gives how many: at least 1, and 0
  /// once closed and drained. An empty `out`: std::invalid_argument.
  auto get_many(std::span<T> out) {
    check_out(out);
    return queue_operation<Core, get_many_awaiter<Core>, std::span<T>>(core_, out);
  }
  /// Waits while full; gives a slot, whose put cannot fail. A slot takes room as an item does, and no place in the order: its item is put
  /// when the slot is. Throws queue_closed. std::logic_error on a rendezvous, and on a queue with an overflow policy.
  /// While slots are reserved, puts go through the hub: they wait for each other, for a short time.
  auto reserve() {
    core_.check_reserve();
    return queue_operation<Core, reserve_awaiter<Core>>(core_);
  }
  /// Waits while empty; gives a copy of the item that is the next to go, and leaves it there. For a T that is trivially copyable, for others
  /// wait for the copy. Throws queue_closed once closed and drained. std::logic_error on a rendezvous.
  auto peek() {
    check_peek();
    return queue_operation<Core, peek_awaiter<Core>>(core_);
  }
  /// Waits until unfinished() is 0 at a moment after it began to wait, or when it is called.
  auto join() noexcept { return queue_operation<Core, join_awaiter<Core>>(core_); }

  /// False: full, or putters are waiting (a try never overtakes); the value is untouched. Throws queue_closed.
  [[nodiscard]] bool try_put(T&& value);
  [[nodiscard]] bool try_put(const T& value);
  /// Empty: the queue was empty at one moment of the call, or getters were waiting already.
  [[nodiscard]] std::optional<T> try_get();
  /// Empty: no room at one moment of the call, or others were waiting. Throws queue_closed, std::logic_error as reserve() does.
  [[nodiscard]] std::optional<slot> try_reserve();
  /// Empty: as try_get. std::logic_error on a rendezvous.
  [[nodiscard]] std::optional<T> try_peek() {
    check_peek();
    std::optional<T> copy;
    (void)core_.try_peek(copy);
    return copy;
  }

  /// The waits for plain threads. With a duration they throw timed_out; zero or less tries once. On a worker: std::logic_error.
  void blocking_put(T&& value) {
    put_blocking(value, [] { return forever; });
  }
  void blocking_put(const T& value) { blocking_put(T(value)); }
  T blocking_get() { return block<get_awaiter<Core, T>>("blocking_get", "co_await q.get()", forever); }
  std::optional<T> blocking_next() {
    return block<get_awaiter<Core, std::optional<T>>>("blocking_next", "co_await q.next()", forever);
  }
  /// The items one after the other, for a range-for, which ends once the queue is closed and drained. (In a coroutine:
  /// `while (auto item = co_await q.next())`.)
  blocking_range<queue_face> blocking_items() noexcept { return blocking_range<queue_face>(*this); }
  std::optional<leased<T>> blocking_lease() {
    return block<get_awaiter<Core, std::optional<leased<T>>>>("blocking_lease", "co_await q.lease()", forever);
  }
  std::size_t blocking_put_many(std::span<T> items) {
    return block<put_many_awaiter<Core>>("blocking_put_many", "co_await q.put_many(items)", forever, items);
  }
  std::size_t blocking_get_many(std::span<T> out) {
    check_out(out);
    return block<get_many_awaiter<Core>>("blocking_get_many", "co_await q.get_many(out)", forever, out);
  }
  slot blocking_reserve() {
    core_.check_reserve();
    return block<reserve_awaiter<Core>>("blocking_reserve", "co_await q.reserve()", forever);
  }
  T blocking_peek() {
    check_peek();
    return block<peek_awaiter<Core>>("blocking_peek", "co_await q.peek()", forever);
  }
  void blocking_join() { block<join_awaiter<Core>>("blocking_join", "co_await q.join()", forever); }

  template <class Rep, class Period>
  void blocking_put(T&& value, std::chrono::duration<Rep, Period> patience) {
    put_blocking(value, [patience] { return deadline_after(patience); });
  }
  template <class Rep, class Period>
  void blocking_put(const T& value, std::chrono::duration<Rep, Period> patience) {
    blocking_put(T(value), patience);
  }
  template <class Rep, class Period>
  T blocking_get(std::chrono::duration<Rep, Period> patience) {
    return block<get_awaiter<Core, T>>("blocking_get", "co_await q.get()", deadline_after(patience));
  }
  template <class Rep, class Period>
  std::optional<T> blocking_next(std::chrono::duration<Rep, Period> patience) {
    return block<get_awaiter<Core, std::optional<T>>>("blocking_next", "co_await q.next()", deadline_after(patience));
  }
  template <class Rep, class Period>
  std::optional<leased<T>> blocking_lease(std::chrono::duration<Rep, Period> patience) {
    return block<get_awaiter<Core, std::optional<leased<T>>>>("blocking_lease", "co_await q.lease()",
                                                              deadline_after(patience));
  }
  template <class Rep, class Period>
  std::size_t blocking_put_many(std::span<T> items, std::chrono::duration<Rep, Period> patience) {
    return block<put_many_awaiter<Core>>("blocking_put_many", "co_await q.put_many(items)", deadline_after(patience),
                                         items);
  }
  template <class Rep, class Period>
  std::size_t blocking_get_many(std::span<T> out, std::chrono::duration<Rep, Period> patience) {
    check_out(out);
    return block<get_many_awaiter<Core>>("blocking_get_many", "co_await q.get_many(out)", deadline_after(patience),
                                         out);
  }
  template <class Rep, class Period>
  slot blocking_reserve(std::chrono::duration<Rep, Period> patience) {
    core_.check_reserve();
    return block<reserve_awaiter<Core>>("blocking_reserve", "co_await q.reserve()", deadline_after(patience));
  }
  template <class Rep, class Period>
  T blocking_peek(std::chrono::duration<Rep, Period> patience) {
    check_peek();
    return block<peek_awaiter<Core>>("blocking_peek", "co_await q.peek()", deadline_after(patience));
  }
  template <class Rep, class Period>
  void blocking_join(std::chrono::duration<Rep, Period> patience) {
    block<join_awaiter<Core>>("blocking_join", "co_await q.join()", deadline_after(patience));
  }

  /// `n` items that were got are finished. More than are unfinished: std::logic_error, and nothing has changed. Lock-free.
  void task_done(std::size_t n = 1) { core_.task_done(n); }
  /// From now on puts fail, and waiting putters fail with their values untouched; gets drain, then end. Idempotent. Slots that are reserved can
  /// still be put into, and gets wait for them.
  void close() noexcept { core_.close(); }
  /// The same, and says why: queue_closed has it, and cause(). The first cause that is given stays. Throws std::bad_alloc: then it is open.
  void close(std::exception_ptr cause) {
    core_.give_cause(std::move(cause));
    core_.close();
  }
  /// Closes, and hands back what was still queued, which counts as done. Getters that were waiting are served first. Throws
  /// std::bad_alloc: then the queue is closed, and the items stay queued. What is put into slots afterwards stays queued, too.
  std::vector<T> close_now() { return core_.close_now(); }
  std::vector<T> close_now(std::exception_ptr cause) {
    core_.give_cause(std::move(cause));
    return core_.close_now();
  }
  /// The same, and tells what became of the rest.
  close_report<T> close_and_report(std::exception_ptr cause = {});
  /// What close() was given; null if nothing was, or if it is not closed.
  std::exception_ptr cause() const noexcept { return closed() ? core_.cause() : std::exception_ptr(); }

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
  /// Whether a put would have to wait: items and reserved slots have all the room.
  bool full() const noexcept { return size() + core_.reserved() >= capacity(); }
  bool closed() const noexcept { return core_.items().is_closed(); }

 protected:
  queue_face(queue_kind kind, std::size_t capacity, std::string name, overflow<T> when_full = overflow_policy::wait)
      : core_(kind, capacity, name, std::move(when_full)) {}
  ~queue_face() = default;

 private:
  template <class>
  friend struct channel_state;

  static constexpr time_point forever = time_point::max();

  template <class Awaiter, class... Argument>
  decltype(auto) block(const char* call, const char* instead, time_point deadline, Argument&... argument) {
    refuse_on_worker(call, instead);
    thread_context context;
    Awaiter awaiter(core_, context, argument...);
    return block_on_awaiter(awaiter, context, deadline);
  }

  template <class Deadline>
  void put_blocking(T& value, Deadline deadline) {
    constexpr const char* call = "blocking_put";
    constexpr const char* instead = "co_await q.put(x)";
    refuse_on_worker(call, instead);
    if (is_done(core_.begin_put(value))) return;
    block<put_awaiter<Core>>(call, instead, deadline(), value);
  }

  void check_peek() const {
    static_assert(
        std::is_trivially_copyable_v<T>,
        "sluice queues: peek needs a trivially copyable T, because other getters wait while the item is copied; get "
        "the item, or keep what you want to look at elsewhere");
    core_.check_peek();
  }
  static void check_out(std::span<T> out) {
    if (!out.empty()) return;
    throw std::invalid_argument("sluice: get_many was given an empty span: give it room for one item or more");
  }

  Core core_;
};

// -----------------------------------------------------------------------------------------------------------

template <class T, class Core>
bool queue_face<T, Core>::try_put(T&& value) {
  const item_status status = core_.try_put(value);
  if (status == item_status::closed) core_.throw_closed("try_put");
  if (status == item_status::no_memory) throw std::bad_alloc();
  return is_done(status);
}

template <class T, class Core>
bool queue_face<T, Core>::try_put(const T& value) {
  T copy(value);
  return try_put(std::move(copy));
}

template <class T, class Core>
std::optional<typename queue_face<T, Core>::slot> queue_face<T, Core>::try_reserve() {
  core_.check_reserve();
  const item_status status = core_.try_reserve();
  if (status == item_status::closed) core_.throw_closed("try_reserve");
  if (status == item_status::no_memory) throw std::bad_alloc();
  return is_done(status) ? std::optional<slot>(slot(core_)) : std::nullopt;
}

template <class T, class Core>
close_report<T> queue_face<T, Core>::close_and_report(std::exception_ptr cause) {
  close_report<T> report;
  report.drained = close_now(std::move(cause));
  report.refused = core_.refused();
  report.in_flight = unfinished();
  return report;
}

template <class T, class Core>
std::optional<T> queue_face<T, Core>::try_get() {
  std::optional<T> result;
  core_.try_get([&](T&& item) { result.emplace(std::move(item)); });
  return result;
}

}  // namespace sluice::impl
