#pragma once
// A queue whose items are got when their time has come.
//
// I1  The heap and what is spare are touched under the mutex, for a few steps without user code: items lie in nodes of their own, and are moved
//     and destroyed outside of it.
// I2  One getter at a time looks at the heap, the one whose turn it is; it waits for the first item's time, or until `changed_` says that another
//     item has become the first, or that the queue was closed. It clears `changed_` before it looks: what comes later sets it again.
//
// I3  Who sets `changed_` does so under the mutex, which a getter has after it before it returns: so nobody touches the queue after that.
//
// Source: the leader of the leader/followers pattern (Schmidt and others, 2000), as java.util.concurrent.DelayQueue has it.

#include <sluice/queues/errors.hpp>
#include <sluice/queues/event.hpp>
#include <sluice/queues/fail.hpp>
#include <sluice/queues/item_store.hpp>
#include <sluice/queues/queue_options.hpp>
#include <sluice/queues/semaphore.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/runtime/deadline.hpp>
#include <sluice/runtime/futex_mutex.hpp>
#include <sluice/runtime/select.hpp>
#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/task.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

/// An unbounded queue in which each item becomes available at a time of its own: first the one whose time comes first, and of the same time the one
/// that was put first. For retries, timeouts of sessions, and what is to be done later.
///
/// Every operation may be called from any thread; the queue waits by timers of the runtime, or as a plain thread. Progress: a short mutex, never
/// held while user code runs. Getters are served first come, first served; an item is never got early. Takes effect: a put before it returns, a
/// get when it has the item. Visibility: what was written before a put is visible after the get of its item. Cancellation: a cancelled get took
/// nothing; a put does not wait. A node is kept for each item that was ever queued at a time: beyond that nothing is allocated, but the frame
/// of the task that a get is. The get is a task: to select on it, spawn it.
template <class T>
class delay_queue : private impl::queue_item<T> {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit delay_queue(queue_options options = {}) : name_(std::move(options.name)) {}
  ~delay_queue();
  delay_queue(const delay_queue&) = delete;
  delay_queue& operator=(const delay_queue&) = delete;

  /// Available from `due` on. Throws queue_closed, std::bad_alloc; then the value is untouched.
  void put_at(T&& value, time_point due) { insert(value, due); }
  void put_at(const T& value, time_point due) { put_at(T(value), due); }
  /// Available when `delay` has passed; zero or less: at once.
  template <class Rep, class Period>
  void put(T&& value, std::chrono::duration<Rep, Period> delay) {
    insert(value, impl::deadline_after(present(), delay));
  }
  template <class Rep, class Period>
  void put(const T& value, std::chrono::duration<Rep, Period> delay) {
    put(T(value), delay);
  }

  /// Waits until an item's time has come; gives T. Throws queue_closed once closed and drained.
  task<T> get();
  /// The same; gives std::optional<T>, which is empty once closed and drained.
  task<std::optional<T>> next();
  /// Empty: no item's time has come, or others are waiting.
  [[nodiscard]] std::optional<T> try_get();

  /// The waits for plain threads. With a duration they throw timed_out; zero or less tries once. On a worker: std::logic_error.
  T blocking_get() { return required(blocking_until("blocking_get", "co_await q.get()", impl::time_point::max())); }
  std::optional<T> blocking_next() {
    return blocking_until("blocking_next", "co_await q.next()", impl::time_point::max());
  }
  template <class Rep, class Period>
  T blocking_get(std::chrono::duration<Rep, Period> patience) {
    return required(blocking_until("blocking_get", "co_await q.get()", impl::deadline_after(patience)));
  }
  template <class Rep, class Period>
  std::optional<T> blocking_next(std::chrono::duration<Rep, Period> patience) {
    return blocking_until("blocking_next", "co_await q.next()", impl::deadline_after(patience));
  }

  /// From now on puts fail. What is queued is still got, each item at its time; then gets end. Idempotent.
  void close() noexcept;
  /// Closes, and hands back what is queued, in the order of its times. Throws std::bad_alloc: then it is closed, and the items stay queued.
  std::vector<T> close_now();

  /// Snapshots, exact at rest.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  bool closed() const noexcept;
  /// When the first item's time comes; empty if there is none.
  std::optional<time_point> next_due() const noexcept;

 private:
  struct node {
    time_point due;
    std::uint64_t number = 0;  // in the order of puts
    std::optional<T> item;
  };
  using owned_node = std::unique_ptr<node>;

  struct seen {
    owned_node found;  // its time has come
    bool ends = false;
    time_point due = time_point::max();  // otherwise: when to look again
  };

  static time_point present() noexcept {  // a simulated runtime has a time of its own
    const impl::scheduler* const here = impl::scheduler::current();
    return here != nullptr ? here->now() : impl::now();
  }
  static bool is_later(const owned_node& a, const owned_node& b) noexcept {
    return a->due != b->due ? a->due > b->due : a->number > b->number;
  }
  [[noreturn]] void fail_destroyed(std::size_t waiting) const noexcept;
  void insert(T& value, time_point due);
  owned_node new_node();
  void keep(owned_node used) noexcept;
  seen look() noexcept;
  owned_node pop_first(time_point latest) noexcept;
  T unpack(owned_node found) noexcept;
  T required(std::optional<T> item);
  std::optional<T> blocking_until(const char* call, const char* instead, impl::time_point deadline);

  const std::string name_;
  semaphore turn_{1};
  event changed_;
  mutable impl::futex_mutex mutex_;
  std::vector<owned_node> heap_;   // mutex_; the first in front
  std::vector<owned_node> spare_;  // mutex_; has room for all nodes that there are
  std::size_t nodes_ = 0;          // mutex_
  std::uint64_t puts_ = 0;         // mutex_
  bool closed_ = false;            // mutex_
};

// -----------------------------------------------------------------------------------------------------------

template <class T>
delay_queue<T>::~delay_queue() {
  const std::size_t waiting = turn_.waiters() + (turn_.available() == 0 ? 1 : 0);
  if (waiting != 0) fail_destroyed(waiting);
  close();
  std::vector<owned_node> left;  // their destructors may look at the queue: it is closed, empty and whole
  {
    const impl::locked held(mutex_);
    left.swap(heap_);
  }
}

template <class T>
void delay_queue<T>::fail_destroyed(std::size_t waiting) const noexcept {
  impl::fail(
      "queue '" + name_ + "' is destroyed while somebody waits on it (" + std::to_string(waiting) +
      " get): close it and let them return first, or declare it before the runtime, which cancels its tasks when "
      "it goes");
}

template <class T>
void delay_queue<T>::insert(T& value, time_point due) {
  owned_node made = new_node();
  made->due = due;
  made->item.emplace(std::move(value));
  bool refused = false;
  {
    const impl::locked held(mutex_);
    refused = closed_;
    if (!refused) {
      made->number = puts_++;
      heap_.push_back(std::move(made));  // has room
      std::push_heap(heap_.begin(), heap_.end(), is_later);
      if (heap_.front()->number == puts_ - 1) changed_.set();  // I3
    }
  }
  if (!refused) return;  // it may be gone
  std::destroy_at(&value);
  std::construct_at(&value, std::move(*made->item));
  made->item.reset();
  keep(std::move(made));
  throw queue_closed("sluice: put on queue '" + name_ + "', which is closed");
}

// A node, and room for it in both places.
template <class T>
typename delay_queue<T>::owned_node delay_queue<T>::new_node() {
  {
    const impl::locked held(mutex_);
    if (!spare_.empty()) {
      owned_node again = std::move(spare_.back());
      spare_.pop_back();
      return again;
    }
  }
  auto made = std::make_unique<node>();
  const impl::locked held(mutex_);
  if (heap_.capacity() <= nodes_) {
    const std::size_t more = std::max(std::size_t{8}, 2 * nodes_);
    spare_.reserve(more);
    heap_.reserve(more);
  }
  ++nodes_;
  return made;
}

template <class T>
void delay_queue<T>::keep(owned_node used) noexcept {
  const impl::locked held(mutex_);
  spare_.push_back(std::move(used));  // has room
}

// Takes the first item if its time has come.
template <class T>
typename delay_queue<T>::seen delay_queue<T>::look() noexcept {
  const time_point here = present();
  const impl::locked held(mutex_);
  if (heap_.empty()) return {nullptr, closed_, time_point::max()};
  owned_node first = pop_first(here);
  return {std::move(first), false, heap_.empty() ? here : heap_.front()->due};
}

// Under the mutex. Null: there is none whose time comes until `latest`.
template <class T>
typename delay_queue<T>::owned_node delay_queue<T>::pop_first(time_point latest) noexcept {
  if (heap_.empty() || heap_.front()->due > latest) return nullptr;
  std::pop_heap(heap_.begin(), heap_.end(), is_later);
  owned_node first = std::move(heap_.back());
  heap_.pop_back();
  return first;
}

template <class T>
T delay_queue<T>::unpack(owned_node found) noexcept {
  T item(std::move(*found->item));
  found->item.reset();
  keep(std::move(found));
  return item;
}

template <class T>
T delay_queue<T>::required(std::optional<T> item) {
  if (item) return std::move(*item);
  throw queue_closed("sluice: get on queue '" + name_ + "', which is closed");
}

template <class T>
task<std::optional<T>> delay_queue<T>::next() {
  const permit turn = co_await turn_.acquire();
  for (;;) {
    changed_.reset();
    seen now = look();
    if (now.found) co_return unpack(std::move(now.found));
    if (now.ends) co_return std::nullopt;
    if (now.due == time_point::max()) {
      co_await changed_.wait();
    } else {
      (void)co_await select(changed_.wait(), sleep_until(now.due));
    }
  }
}

template <class T>
task<T> delay_queue<T>::get() {
  std::optional<T> item = co_await next();
  co_return required(std::move(item));
}

template <class T>
std::optional<T> delay_queue<T>::try_get() {
  const std::optional<permit> turn = turn_.try_acquire();
  if (!turn) return std::nullopt;
  seen now = look();
  return now.found ? std::optional<T>(unpack(std::move(now.found))) : std::nullopt;
}

template <class T>
std::optional<T> delay_queue<T>::blocking_until(const char* call, const char* instead, impl::time_point deadline) {
  impl::refuse_on_worker(call, instead);
  const auto left = [](impl::time_point until) { return until - impl::now(); };
  const bool patient = deadline == impl::time_point::max();
  const permit turn = patient ? turn_.blocking_acquire() : turn_.blocking_acquire(left(deadline));
  for (;;) {
    changed_.reset();
    seen now = look();
    if (now.found) return unpack(std::move(now.found));
    if (now.ends) return std::nullopt;
    const impl::time_point until = std::min(now.due, deadline);
    try {
      if (until == impl::time_point::max()) {
        changed_.blocking_wait();
      } else {
        changed_.blocking_wait(left(until));
      }
    } catch (const timed_out&) {
      if (impl::now() >= deadline) throw;
    }
  }
}

template <class T>
void delay_queue<T>::close() noexcept {
  const impl::locked held(mutex_);
  closed_ = true;
  changed_.set();  // I3
}

template <class T>
std::vector<T> delay_queue<T>::close_now() {
  close();
  std::vector<T> items;
  items.reserve(size());
  for (;;) {  // one at a time: a getter may take what has come due meanwhile
    owned_node first;
    {
      const impl::locked held(mutex_);
      first = pop_first(time_point::max());
    }
    if (first == nullptr) break;
    items.push_back(unpack(std::move(first)));
  }
  changed_.set();  // a getter waits for the time of what is gone
  return items;
}

template <class T>
std::size_t delay_queue<T>::size() const noexcept {
  const impl::locked held(mutex_);
  return heap_.size();
}

template <class T>
bool delay_queue<T>::closed() const noexcept {
  const impl::locked held(mutex_);
  return closed_;
}

template <class T>
std::optional<std::chrono::steady_clock::time_point> delay_queue<T>::next_due() const noexcept {
  const impl::locked held(mutex_);
  return heap_.empty() ? std::nullopt : std::optional(heap_.front()->due);
}

}  // namespace sluice
