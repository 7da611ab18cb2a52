#pragma once
// The queue without its public face: a store of items (ring.hpp or stack.hpp), and the join counter. Here is the half that any thread runs; the
// other one, which serves those who wait, is queue_server.hpp.
//
//   done word:  number of items done | kick
//     kick  somebody waits in join(): the task_done that may have met zero clears it, and kicks the hub
//
// I1  unfinished = tail's index - done: a put counts without a counter of its own.
// I2  done <= tail, both only grow; so equality read in the order done, tail was true at the moment tail was read.
// I3  A join that began when tail was `start` may return exactly when done has met tail at some z >= start. It watches from the moment
//     the hub has armed the kick for it; a zero that came and went before that, or that a put ends while the task_done that
//     made it is still looking, is not seen.
// I4  task_done touches the object after its CAS only if that CAS cleared the kick: then a destructor waits for it.
// E1  task_done (release) -> join (acquire), on the done word: what workers wrote before task_done. Also -> task_done, unfinished
//     (acquire): no tail is read that is older than what was done (I2).

#include <sluice/queues/overflow.hpp>
#include <sluice/queues/queue_server.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice::impl {

template <class T, class Store>
class queue_core final : public queue_server<T, Store> {
  using server = queue_server<T, Store>;

 public:
  using item_type = T;
  using server::name;
  using server::wait_first;

  /// `capacity` is that of a bounded queue. Throws std::invalid_argument, std::bad_alloc.
  queue_core(queue_kind kind, std::size_t capacity, const std::string& called,
             overflow<T> when_full = overflow_policy::wait);
  ~queue_core() { this->finish(); }

  item_status try_put(T& value) noexcept;
  /// The same for a put that would wait: gives `full` only where the policy is to reject, and drops what it is to drop.
  item_status begin_put(T& value) noexcept;
  template <class Take>
  item_status try_get(Take&& take) noexcept;
  /// As many as can be moved without waiting, in order; and why not more.
  item_batch put_many(T* items, std::size_t count) noexcept;
  item_batch get_many(T* out, std::size_t count) noexcept;

  /// Counts a slot, for which fill() or give_up() must be called.
  item_status try_reserve() noexcept;
  void fill(T& value) noexcept;
  void give_up() noexcept;
  /// Nobody will get any more: what is put into slots from now on is destroyed, and counts for nothing.
  void abandon() noexcept;
  item_status try_peek(std::optional<T>& copy) noexcept;
  /// To be called before a wait that wants to look, or a slot.
  void will_hold() noexcept { is_held_at_times_.store(true, relaxed); }  // the stores hand it over
  /// Throws std::logic_error.
  void check_reserve() const;
  void check_peek() const;

  /// Throws std::invalid_argument, std::logic_error, std::bad_alloc.
  void set_capacity(std::size_t capacity);
  void close() noexcept;
  std::vector<T> close_now();
  /// How many puts a close has ended.
  std::uint64_t refused() noexcept;

  void task_done(std::uint64_t count) override;
  /// True: nothing is unfinished. `start` gets what a join_waiter needs otherwise.
  bool joined(std::uint64_t& start) const noexcept;
  std::uint64_t unfinished() const noexcept;

  const Store& items() const noexcept { return store_; }
  queue_kind kind() const noexcept { return kind_.get(); }
  std::size_t reserved() const noexcept { return slots_.load(relaxed); }  // a snapshot
  std::size_t capacity() const noexcept { return kind() == queue_kind::unbounded ? SIZE_MAX : store_.capacity(); }

 private:
  using server::as_runner;
  using server::done_;
  using server::done_kick;
  using server::done_kick_flag;
  using server::done_one;
  using server::head_kick;
  using server::is_held_at_times_;
  using server::kick;
  using server::kick_head;
  using server::kick_tail;
  using server::kind_;
  using server::refused_;
  using server::slots_;
  using server::store_;
  using server::tail_kick;
  using server::tail_seen_;
  using server::zero_at_;

  static std::uint64_t cells(queue_kind kind, std::size_t capacity, const std::string& called);
  static void check_capacity(std::size_t capacity, const std::string& called, bool is_new);
  item_status after_push(item_status status, T& value) noexcept;
  item_status after_pop(item_status status, std::optional<T>& item) noexcept;
  item_status ask_to_put(T& value) noexcept;
  item_status overflow_with(T& value) noexcept;
  void drop(T&& value) noexcept;
  void drop_queued(T&& value) noexcept;
  static bool make_place_for_more(std::vector<T>& items) noexcept;
  void end_tasks(std::size_t count);

  const overflow<T> when_full_;
};

// -----------------------------------------------------------------------------------------------------------

template <class T, class Store>
queue_core<T, Store>::queue_core(queue_kind kind, std::size_t capacity, const std::string& called,
                                 overflow<T> when_full)
    : server(kind, cells(kind, capacity, called), called), when_full_(std::move(when_full)) {}

template <class T, class Store>
item_status queue_core<T, Store>::try_put(T& value) noexcept {
  const item_status status = store_.try_push(value);
  if (status == item_status::done) [[likely]]
    return status;
  return after_push(status, value);
}

template <class T, class Store>
item_status queue_core<T, Store>::begin_put(T& value) noexcept {
  const item_status status = try_put(value);
  if (status != item_status::full) [[likely]]
    return status;
  if (when_full_.policy == overflow_policy::reject) return status;
  drop(std::move(value));
  return item_status::done;
}

template <class T, class Store>
template <class Take>
[[gnu::always_inline]] inline item_status queue_core<T, Store>::try_get(Take&& take) noexcept {
  const item_status status = store_.try_pop(take);
  if (status == item_status::done) [[likely]]
    return status;
  std::optional<T> item;
  const item_status then = after_pop(status, item);
  if (item) take(std::move(*item));
  return then;
}

// What the store could not do alone. Apart, so that the fast path stays short.
template <class T, class Store>
[[gnu::noinline]] item_status queue_core<T, Store>::after_push(item_status status, T& value) noexcept {
  if (status == item_status::done_kick) {
    kick_tail();
    return status;  // the queue may be gone
  }
  if (status == item_status::closed) return status;
  if (kind_.get() == queue_kind::bounded) {
    if (status == item_status::frozen) return is_held_at_times_.load(relaxed) ? ask_to_put(value) : status;
    return when_full_.policy == overflow_policy::wait ? status : overflow_with(value);
  }
  if (kind_.get() == queue_kind::unbounded) return ask_to_put(value);
  if (status == item_status::nothing && store_.kick_on_tail()) {
    as_runner([&] { status = this->meet_getter(value); });
  }
  return status;
}

// Likewise. `item` gets one that was found after all.
template <class T, class Store>
[[gnu::noinline]] item_status queue_core<T, Store>::after_pop(item_status status, std::optional<T>& item) noexcept {
  if (status == item_status::done_kick) {
    kick_head();
    return status;  // the queue may be gone
  }
  if (status == item_status::closed && is_held_at_times_.load(relaxed)) {
    // Slots may have been filled since. One that is being refused is counted, too: only the runner knows.
    status = slots_.load(acquire) != 0 ? item_status::frozen  // E1 of queue_server.hpp observed
                                       : store_.try_pop([&](T&& last) { item.emplace(std::move(last)); });
    if (status == item_status::done_kick) kick_head();  // the queue may be gone; nothing below looks at it then
  }
  if (status == item_status::frozen && (is_held_at_times_.load(relaxed) || store_.is_closed())) {
    as_runner([&] { status = this->fetch(item); });
  } else if (status == item_status::nothing && kind_.get() == queue_kind::rendezvous && store_.kick_on_head()) {
    as_runner([&] { this->meet_putter(item); });
    if (item) status = item_status::done;
  }
  return status;
}

// An unbounded queue is full; or tail is frozen, and perhaps nobody waits.
template <class T, class Store>
item_status queue_core<T, Store>::ask_to_put(T& value) noexcept {
  auto status = item_status::nothing;
  as_runner([&] { status = this->admit(value); });
  return status;
}

template <class T, class Store>
item_status queue_core<T, Store>::overflow_with(T& value) noexcept {
  if (when_full_.policy == overflow_policy::reject || when_full_.policy == overflow_policy::drop_newest) {
    return item_status::full;
  }
  for (short_wait serving;; serving()) {
    bool found = false;
    for (bool more = true; more;) {
      std::optional<T> oldest;
      (void)try_get([&](T&& item) { oldest.emplace(std::move(item)); });
      more = oldest && when_full_.policy == overflow_policy::keep_latest;
      found = found || oldest;
      if (oldest) drop_queued(std::move(*oldest));
    }
    if (!found) this->take_over();  // the runner gives it to those who wait
    const item_status status = store_.try_push(value);
    if (status == item_status::done_kick) kick_tail();  // after it the queue may be gone
    if (status != item_status::nothing) return status;
  }
}

// In the caller's thread, which holds nothing then.
template <class T, class Store>
void queue_core<T, Store>::drop(T&& value) noexcept {
  T gone(std::move(value));
  if (when_full_.dropped) when_full_.dropped(std::move(gone));
}

// It counts as done before the next one is put, whose get may end the queue.
template <class T, class Store>
void queue_core<T, Store>::drop_queued(T&& value) noexcept {
  drop(std::move(value));
  this->end_task("an item was dropped, which counts as done");
}

template <class T, class Store>
item_status queue_core<T, Store>::try_reserve() noexcept {
  will_hold();
  auto status = item_status::nothing;
  as_runner([&] { status = this->reserve(); });
  return status;
}

template <class T, class Store>
void queue_core<T, Store>::fill(T& value) noexcept {
  bool is_taken = false;
  as_runner([&] { is_taken = this->fill_slot(value); });
  if (!is_taken) (void)T(std::move(value));  // nobody will get it: it goes
}

template <class T, class Store>
void queue_core<T, Store>::abandon() noexcept {
  as_runner([&] { this->is_abandoned_ = true; });
}

template <class T, class Store>
void queue_core<T, Store>::give_up() noexcept {
  as_runner([&] { this->give_up_slot(); });
}

template <class T, class Store>
item_status queue_core<T, Store>::try_peek(std::optional<T>& copy) noexcept {
  will_hold();
  auto status = item_status::nothing;
  as_runner([&] { status = this->look(copy); });
  return status;
}

template <class T, class Store>
void queue_core<T, Store>::check_reserve() const {
  if (kind() == queue_kind::rendezvous) {
    throw std::logic_error("sluice: reserve on queue '" + name() +
                           "', which is a rendezvous and has no room: use put, or give the queue a capacity");
  }
  if (when_full_.policy != overflow_policy::wait) {
    throw std::logic_error("sluice: reserve on queue '" + name() +
                           "', which does not wait when it is full: construct it without an overflow policy");
  }
}

template <class T, class Store>
void queue_core<T, Store>::check_peek() const {
  if (kind() != queue_kind::rendezvous) return;
  throw std::logic_error("sluice: peek on queue '" + name() +
                         "', which is a rendezvous and holds nothing: use get, or give the queue a capacity");
}

template <class T, class Store>
item_batch queue_core<T, Store>::put_many(T* items, std::size_t count) noexcept {
  item_batch all{0, store_.is_closed() ? item_status::closed : item_status::done};
  while (all.moved < count && is_done(all.status)) {
    const item_batch step = store_.try_push_many(items + all.moved, count - all.moved);
    all.moved += step.moved;
    all.status = step.status;
    if (step.status == item_status::done_kick) kick_tail();
    if (step.moved != 0 || step.status == item_status::closed) continue;
    all.status = begin_put(items[all.moved]);  // grows, meets a get, drops
    all.moved += is_done(all.status);
  }
  return all;
}

template <class T, class Store>
item_batch queue_core<T, Store>::get_many(T* out, std::size_t count) noexcept {
  item_batch all{0, item_status::done};
  while (all.moved < count && is_done(all.status)) {
    if constexpr (std::is_trivially_destructible_v<T>) {
      const item_batch step = store_.try_pop_many(out + all.moved, count - all.moved);
      all.moved += step.moved;
      all.status = step.status;
      if (step.status == item_status::done_kick) kick_head();
      if (step.moved != 0) continue;
    }
    // What lies in `out` may do anything when it is destroyed, such as put into this queue: no cell is held then.
    std::optional<T> item;
    all.status = try_get([&](T&& got) { item.emplace(std::move(got)); });
    if (item) replace(out[all.moved++], std::move(*item));
  }
  return all;
}

template <class T, class Store>
void queue_core<T, Store>::set_capacity(std::size_t capacity) {
  check_capacity(capacity, name(), false);
  if (kind_.get() != queue_kind::bounded) {
    throw std::logic_error("sluice: set_capacity(" + std::to_string(capacity) + ") on queue '" + name() +
                           "', which is " + (kind_.get() == queue_kind::unbounded ? "unbounded" : "a rendezvous") +
                           ": construct it with a capacity instead");
  }
  if constexpr (!Store::can_resize) {
    throw std::logic_error("sluice: set_capacity(" + std::to_string(capacity) + ") on queue '" + name() +
                           "', whose room is fixed: use sluice::queue, or construct it with that capacity");
  }
  bool enough_memory = true;
  as_runner([&] { enough_memory = store_.resize(capacity); });
  if (!enough_memory) throw std::bad_alloc();
}

// How many cells it has at first.
template <class T, class Store>
std::uint64_t queue_core<T, Store>::cells(queue_kind kind, std::size_t capacity, const std::string& called) {
  constexpr std::uint64_t at_first = model_build ? 2 : 32;
  if (kind == queue_kind::bounded) check_capacity(capacity, called, true);
  return kind == queue_kind::bounded ? capacity : kind == queue_kind::unbounded ? at_first : 0;
}

// Only one that is made can be made without a bound or without room, and only where the store can do that.
template <class T, class Store>
void queue_core<T, Store>::check_capacity(std::size_t capacity, const std::string& called, bool is_new) {
  if (capacity >= 1 && capacity <= Store::largest) return;
  std::string advice = capacity == 0 ? ": give at least 1" : ": was a negative number converted?";
  if (is_new && Store::can_resize) {
    advice += capacity == 0 ? ", or sluice::rendezvous for none" : " For no bound give sluice::unbounded";
  }
  throw std::invalid_argument("sluice: the capacity of queue '" + called + "' must be between 1 and " +
                              Store::largest_name + ", not " + std::to_string(capacity) + advice);
}

template <class T, class Store>
void queue_core<T, Store>::close() noexcept {
  const auto closing = store_.close();
  if (closing.owes_tail_kick) kick(tail_kick);
  if (closing.owes_head_kick) kick(head_kick);
}

template <class T, class Store>
std::vector<T> queue_core<T, Store>::close_now() {
  close();
  std::vector<T> left;
  left.reserve(store_.size());  // every put that claimed before close() is counted here
  short_wait serving;
  for (;;) {
    // More than that comes out of slots. It stays queued where there is no memory.
    if (left.size() == left.capacity() && (store_.size() == 0 || !make_place_for_more(left))) break;
    const item_status status = try_get([&](T&& item) { left.push_back(std::move(item)); });
    if (status == item_status::closed || status == item_status::nothing) break;  // nothing: but a slot is reserved
    if (status != item_status::frozen) continue;
    this->take_over();  // the runner gives what is left to those who waited first
    if (store_.size() == 0) break;
    serving();
  }
  end_tasks(left.size());
  return left;
}

template <class T, class Store>
bool queue_core<T, Store>::make_place_for_more(std::vector<T>& items) noexcept {
  try {
    items.reserve(2 * items.size() + 1);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// `count` items, which nobody will work on any more, are finished. Fewer, if some of them were said to be so while they were queued.
template <class T, class Store>
void queue_core<T, Store>::end_tasks(std::size_t count) {
  if (count == 0) return;
  try {
    task_done(count);
  } catch (const std::logic_error&) {
    end_tasks(std::min<std::size_t>(count - 1, unfinished()));
  }
}

template <class T, class Store>
std::uint64_t queue_core<T, Store>::refused() noexcept {
  std::uint64_t count = 0;
  as_runner([] {});  // who waits still, hears of the close first
  as_runner([&] { count = refused_; });
  return count;
}

template <class T, class Store>
void queue_core<T, Store>::task_done(std::uint64_t count) {
  std::uint64_t word = done_.load(acquire);  // E1 observe
  std::uint64_t next = 0;
  std::uint64_t after = 0;
  do {
    after = word / done_one + count;
    const bool overflows = after < count;
    if (overflows || after > tail_seen_.load(relaxed)) {
      const std::uint64_t tail = store_.tail();
      tail_seen_.store(tail, relaxed);
      if (overflows || after > tail) this->refuse_task_done(count, tail - word / done_one);
    }
    next = word + count * done_one;
    // A put may still come between: then this is no zero, and the kick is for nothing.
    if ((word & done_kick_flag) != 0 && store_.tail() == after) next &= ~done_kick_flag;
    // E1 publish. E1 observe when `word` was read, whose value comes once: I2, and who meets zero passes on what the others wrote
  } while (!done_.compare_exchange_weak(word, next, release, acquire));
  if ((word & done_kick_flag) == (next & done_kick_flag)) return;  // I5
  if (store_.tail() == after) zero_at_.set(after);
  kick(done_kick);
}

template <class T, class Store>
bool queue_core<T, Store>::joined(std::uint64_t& start) const noexcept {
  const std::uint64_t done = done_.load(acquire) / done_one;  // E1 observe
  start = store_.tail();
  return done == start;  // I2
}

template <class T, class Store>
std::uint64_t queue_core<T, Store>::unfinished() const noexcept {
  const std::uint64_t done = done_.load(acquire) / done_one;  // E1 observe. A snapshot; read first, so never negative
  return store_.tail() - done;
}

}  // namespace sluice::impl
