#pragma once
// The queue without its public face: a store of items (ring.hpp or stack.hpp), the hub that serves its waiters, and the join counter.
//
//   done word:  number of items done | kick
//     kick  somebody waits in join(): the task_done that may have met zero clears it, and kicks the hub
//
// I1  unfinished = tail's index - done: a put counts without a counter of its own.
// I2  done <= tail, both only grow; so equality read in the order done, tail was true at the moment tail was read.
// I3  A join that began when tail was `start` may return exactly when done has met tail at some z >= start. It watches from the moment
//     the hub has armed the kick for it; a zero that came and went before that, or that a put ends while the task_done that
//     made it is still looking, is not seen.
// I4  While getters wait, head is frozen, and the ring is empty and tail's kick is set, or that kick is owed; while putters wait, tail is
//     frozen, and the ring is full and head's kick is set, or that kick is owed. The runner leaves only so: no wakeup is lost.
// I5  task_done touches the object after its CAS only if that CAS cleared the kick: then a destructor waits for it.
// E1  task_done (release) -> join (acquire), on the done word: what workers wrote before task_done. Also -> task_done, unfinished
//     (acquire): no tail is read that is older than what was done (I2).

#include <sluice/queues/apart.hpp>
#include <sluice/queues/atomic.hpp>
#include <sluice/queues/item_store.hpp>
#include <sluice/queues/queue_base.hpp>
#include <sluice/queues/queue_waiters.hpp>
#include <sluice/queues/short_wait.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice::impl {

enum class queue_kind : std::uint8_t {
  bounded,
  unbounded,   // grows when it is full
  rendezvous,  // has no cells: each put meets a get
};

template <class T, class Store>
class queue_core final : public queue_base {
 public:
  using item_type = T;

  /// `capacity` is that of a bounded queue. Throws std::invalid_argument, std::bad_alloc.
  queue_core(queue_kind kind, std::size_t capacity, std::string name)
      : queue_base(lists_, std::move(name)), store_(cells(kind, capacity)), kind_(kind) {}
  ~queue_core();

  item_status try_put(T& value) noexcept;
  template <class Take>
  item_status try_get(Take&& take) noexcept;
  /// As many as can be moved without waiting, in order; and why not more.
  item_batch put_many(T* items, std::size_t count) noexcept;
  item_batch get_many(T* out, std::size_t count) noexcept;
  /// Throws std::invalid_argument, std::logic_error, std::bad_alloc.
  void set_capacity(std::size_t capacity);
  void close() noexcept;
  std::vector<T> close_now();

  void task_done(std::uint64_t count) override;
  /// True: nothing is unfinished. `start` gets what a join_waiter needs otherwise.
  bool joined(std::uint64_t& start) const noexcept;
  std::uint64_t unfinished() const noexcept;

  const Store& items() const noexcept { return store_; }
  queue_kind kind() const noexcept { return kind_.get(); }
  std::size_t capacity() const noexcept { return kind_.get() == queue_kind::unbounded ? SIZE_MAX : store_.capacity(); }

 private:
  static constexpr unsigned tail_kick = 0;  // a put, for getters
  static constexpr unsigned head_kick = 1;  // a get, for putters
  static constexpr unsigned done_kick = 2;  // a task_done, for joiners
  static constexpr std::uint64_t done_kick_flag = 1;
  static constexpr std::uint64_t done_one = 2;

  static std::uint64_t cells(queue_kind kind, std::size_t capacity);
  static void check_capacity(std::size_t capacity);
  item_status after_push(item_status status, T& value) noexcept;
  bool after_pop(item_status status) noexcept;
  bool make_room() noexcept;
  item_status meet_getter(T& value) noexcept;
  std::optional<T> meet_putter() noexcept;
  void kicked(std::uintptr_t bits) noexcept override;
  void serve() noexcept override;
  void freeze() noexcept;
  void thaw() noexcept;
  bool match() noexcept;
  wait_result take_items(waiter& putter) noexcept;
  bool pair() noexcept;
  bool pass(T& value, get_waiter<T>& getter) noexcept;
  void after_taking(waiter& putter) noexcept;
  static T& next_item(waiter& putter) noexcept;
  bool settle() noexcept;
  void serve_joiners() noexcept;
  void release_joiners(std::uint64_t zero) noexcept;

  Store store_;
  apart after_store_;
  atomic<std::uint64_t> done_{0};       // see above; task_done and the runner
  atomic<std::uint64_t> tail_seen_{0};  // some past index of tail; relaxed: never too big
  plain<std::uint64_t> zero_at_{0};     // the newest z of I3; whoever owes the kick, then the runner
  apart after_done_;
  waiter_list lists_[3];  // runner-private from here on
  bool head_frozen_ = false;
  bool tail_frozen_ = false;
  bool tail_kick_armed_ = false;  // set, or cleared and owed; likewise below
  bool head_kick_armed_ = false;
  bool done_kick_armed_ = false;
  const plain<queue_kind> kind_;  // through the door, so that the models see who asks too late
};

// ------------------------------------------------------------------------------------------ any thread

template <class T, class Store>
queue_core<T, Store>::~queue_core() {
  seize();
  if (!lists_[getter_list].empty() || !lists_[putter_list].empty() || !lists_[joiner_list].empty()) {
    fail_destroyed(lists_[getter_list].size(), lists_[putter_list].size(), lists_[joiner_list].size());
  }
  if (tail_kick_armed_ && !store_.kick_on_tail()) await_kick(tail_kick);
  if (head_kick_armed_ && !store_.kick_on_head()) await_kick(head_kick);
  if (done_kick_armed_ && (done_.load(relaxed) & done_kick_flag) == 0) await_kick(done_kick);
}

template <class T, class Store>
item_status queue_core<T, Store>::try_put(T& value) noexcept {
  const item_status status = store_.try_push(value);
  if (status == item_status::done) [[likely]]
    return status;
  return after_push(status, value);
}

template <class T, class Store>
template <class Take>
[[gnu::always_inline]] inline item_status queue_core<T, Store>::try_get(Take&& take) noexcept {
  const item_status status = store_.try_pop(take);
  if (status == item_status::done) [[likely]]
    return status;
  if (!after_pop(status)) return status;
  std::optional<T> item = meet_putter();
  if (!item) return status;
  take(std::move(*item));
  return item_status::done;
}

// What the ring could not do alone. Apart, so that the fast path stays short.
template <class T, class Store>
[[gnu::noinline]] item_status queue_core<T, Store>::after_push(item_status status, T& value) noexcept {
  if (status == item_status::done_kick) {
    kick(tail_kick);
    return status;  // the queue may be gone
  }
  if (kind_.get() == queue_kind::bounded || (status != item_status::nothing && status != item_status::frozen))
    return status;
  if (kind_.get() == queue_kind::unbounded) return make_room() ? try_put(value) : item_status::no_memory;
  return status == item_status::nothing ? meet_getter(value) : status;
}

// Likewise. True: a putter may wait.
template <class T, class Store>
[[gnu::noinline]] bool queue_core<T, Store>::after_pop(item_status status) noexcept {
  if (status == item_status::done_kick) kick(head_kick);  // after it the queue may be gone
  return status == item_status::nothing && kind_.get() == queue_kind::rendezvous && store_.kick_on_head();
}

// An unbounded queue is full, or others wait until it has grown.
template <class T, class Store>
bool queue_core<T, Store>::make_room() noexcept {
  bool grown = true;
  as_runner([&] {
    const std::uint64_t room = store_.capacity();
    if (store_.is_closed() || store_.has_room()) return;
    grown = room < Store::largest && store_.resize(std::min(2 * room, Store::largest));
  });
  return grown;
}

// A rendezvous: only a get that waits can take it. One that is not registered yet does not wait.
template <class T, class Store>
item_status queue_core<T, Store>::meet_getter(T& value) noexcept {
  auto status = item_status::nothing;
  if (!store_.kick_on_tail()) return status;
  as_runner([&] {
    waiter_list& getters = lists_[getter_list];
    while (status == item_status::nothing && !getters.empty()) {
      waiter& w = getters.front();
      if (claim(w)) status = pass(value, static_cast<get_waiter<T>&>(w)) ? item_status::done : item_status::closed;
    }
  });
  return status;
}

template <class T, class Store>
[[gnu::noinline]] std::optional<T> queue_core<T, Store>::meet_putter() noexcept {
  std::optional<T> item;
  as_runner([&] {
    waiter_list& putters = lists_[putter_list];
    while (!item && !putters.empty() && !store_.is_closed()) {
      waiter& w = putters.front();
      if (!claim(w)) continue;
      if (store_.pass_tail()) {
        item.emplace(std::move(next_item(w)));
        store_.pass_head();
        after_taking(w);
      } else {
        complete(w, wait_result::closed);
      }
    }
  });
  return item;
}

template <class T, class Store>
item_batch queue_core<T, Store>::put_many(T* items, std::size_t count) noexcept {
  item_batch all{0, store_.is_closed() ? item_status::closed : item_status::done};
  while (all.moved < count && (all.status == item_status::done || all.status == item_status::done_kick)) {
    const item_batch step = store_.try_push_many(items + all.moved, count - all.moved);
    all.moved += step.moved;
    all.status = step.status;
    if (step.status == item_status::done_kick) kick(tail_kick);
    if (step.moved != 0 || kind_.get() == queue_kind::bounded || step.status == item_status::closed) continue;
    all.status = try_put(items[all.moved]);  // grows, or meets a get
    all.moved += all.status == item_status::done || all.status == item_status::done_kick;
  }
  return all;
}

template <class T, class Store>
item_batch queue_core<T, Store>::get_many(T* out, std::size_t count) noexcept {
  item_batch all{0, item_status::done};
  while (all.moved < count && (all.status == item_status::done || all.status == item_status::done_kick)) {
    if constexpr (std::is_trivially_destructible_v<T>) {
      const item_batch step = store_.try_pop_many(out + all.moved, count - all.moved);
      all.moved += step.moved;
      all.status = step.status;
      if (step.status == item_status::done_kick) kick(head_kick);
      if (step.status != item_status::nothing || kind_.get() != queue_kind::rendezvous) continue;
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
  check_capacity(capacity);
  if (kind_.get() != queue_kind::bounded) {
    throw std::logic_error("sluice: set_capacity(" + std::to_string(capacity) + ") on queue '" + name() +
                           "', which is " + (kind_.get() == queue_kind::unbounded ? "unbounded" : "a rendezvous") +
                           ": construct it with a capacity instead");
  }
  bool enough_memory = true;
  as_runner([&] { enough_memory = store_.resize(capacity); });
  if (!enough_memory) throw std::bad_alloc();
}

// How many cells it has at first.
template <class T, class Store>
std::uint64_t queue_core<T, Store>::cells(queue_kind kind, std::size_t capacity) {
  constexpr std::uint64_t at_first = model_build ? 2 : 32;
  if (kind == queue_kind::bounded) check_capacity(capacity);
  return kind == queue_kind::bounded ? capacity : kind == queue_kind::unbounded ? at_first : 0;
}

template <class T, class Store>
void queue_core<T, Store>::check_capacity(std::size_t capacity) {
  if (capacity >= 1 && capacity <= Store::largest) return;
  throw std::invalid_argument("sluice: the capacity of a queue must be between 1 and " +
                              std::string(Store::largest_name) + ", not " + std::to_string(capacity) +
                              (capacity == 0
                                   ? ": give at least 1, or sluice::rendezvous for none"
                                   : ": was a negative number converted? For no bound give sluice::unbounded"));
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
    const item_status status = try_get([&](T&& item) { left.push_back(std::move(item)); });
    if (status == item_status::closed) break;
    if (status != item_status::frozen) continue;
    take_over();  // the runner gives what is left to those who waited first
    serving();
  }
  if (!left.empty()) task_done(left.size());
  return left;
}

template <class T, class Store>
void queue_core<T, Store>::task_done(std::uint64_t count) {
  std::uint64_t word = done_.load(acquire);  // E1 observe
  std::uint64_t next = 0;
  std::uint64_t after = 0;
  do {
    after = word / done_one + count;
    if (after > tail_seen_.load(relaxed)) {
      const std::uint64_t tail = store_.tail();
      tail_seen_.store(tail, relaxed);
      if (after > tail) refuse_task_done(count, tail - word / done_one);
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

// ------------------------------------------------------------------------------------------ the runner

template <class T, class Store>
void queue_core<T, Store>::kicked(std::uintptr_t bits) noexcept {
  if ((bits & kick_bit(tail_kick)) != 0) tail_kick_armed_ = false;
  if ((bits & kick_bit(head_kick)) != 0) head_kick_armed_ = false;
  if ((bits & kick_bit(done_kick)) != 0) {
    done_kick_armed_ = false;
    release_joiners(zero_at_.get());
  }
}

template <class T, class Store>
void queue_core<T, Store>::serve() noexcept {
  short_wait in_flight;
  for (;;) {
    freeze();
    while (!enough() && match()) {
    }
    if (enough()) return;
    if (settle()) break;
    in_flight();
  }
  thaw();
  serve_joiners();
}

// Waiters are first: newcomers may not pass them.
template <class T, class Store>
void queue_core<T, Store>::freeze() noexcept {
  if (!lists_[getter_list].empty() && !head_frozen_) {
    store_.freeze_head();
    head_frozen_ = true;
  }
  if (!lists_[putter_list].empty() && !tail_frozen_) {
    store_.freeze_tail();
    tail_frozen_ = true;
  }
}

template <class T, class Store>
void queue_core<T, Store>::thaw() noexcept {
  if (lists_[getter_list].empty() && head_frozen_) {
    store_.thaw_head();
    head_frozen_ = false;
  }
  if (lists_[putter_list].empty() && tail_frozen_) {
    store_.thaw_tail();
    tail_frozen_ = false;
  }
}

// Moves items to getters and from putters, in order, as far as it goes. True: something moved.
template <class T, class Store>
bool queue_core<T, Store>::match() noexcept {
  if (kind_.get() == queue_kind::rendezvous) return pair();
  bool moved = false;
  waiter_list& getters = lists_[getter_list];
  while (!getters.empty() && !enough() && store_.front() != nullptr) {
    waiter& w = getters.front();
    if (!claim(w)) continue;
    head_frozen_ = !getters.empty();
    store_.pop_front(static_cast<get_waiter<T>&>(w).item, !head_frozen_);
    complete(w, wait_result::done);
    moved = true;
  }
  waiter_list& putters = lists_[putter_list];
  while (!putters.empty() && !store_.is_closed() && !enough() && store_.is_back_free()) {
    waiter& w = putters.front();
    if (!claim(w)) continue;
    const wait_result result = take_items(w);
    if (result != wait_result::none) {
      complete(w, result);
    } else {
      unclaim(w);
    }
    moved = true;
  }
  return moved;
}

// There is room, and `w` has been claimed. None: it has more than there is room for.
template <class T, class Store>
wait_result queue_core<T, Store>::take_items(waiter& w) noexcept {
  if (!w.many) {
    const bool thaw = lists_[putter_list].empty();
    if (!store_.push_back(*static_cast<put_waiter<T>&>(w).value, thaw)) return wait_result::closed;
    tail_frozen_ = !thaw;
    return wait_result::done;
  }
  auto& some = static_cast<put_many_waiter<T>&>(w);
  while (some.moved < some.count && store_.is_back_free()) {
    if (!store_.push_back(next_item(w), false)) return wait_result::closed;
    ++some.moved;
  }
  return some.moved == some.count ? wait_result::done : wait_result::none;
}

// A rendezvous: moves items from putters to getters. True: something moved.
template <class T, class Store>
bool queue_core<T, Store>::pair() noexcept {
  bool moved = false;
  waiter_list& getters = lists_[getter_list];
  waiter_list& putters = lists_[putter_list];
  while (!getters.empty() && !putters.empty() && !store_.is_closed() && !enough()) {
    waiter& putter = putters.front();
    if (!claim(putter)) continue;
    waiter& getter = getters.front();
    if (!claim(getter)) {  // it may be an arm of a select, which is claimed for good: so it comes second
      unclaim(putter);
      continue;
    }
    if (pass(next_item(putter), static_cast<get_waiter<T>&>(getter))) {
      after_taking(putter);
    } else {
      complete(putter, wait_result::closed);
    }
    moved = true;
  }
  return moved;
}

// From hand to hand, to a getter that has been claimed. False: closed by now, and the getter hears of that.
template <class T, class Store>
bool queue_core<T, Store>::pass(T& value, get_waiter<T>& getter) noexcept {
  const bool open = store_.pass_tail();
  if (open) {
    getter.item.emplace(std::move(value));
    store_.pass_head();
  }
  complete(getter, open ? wait_result::done : wait_result::closed);
  return open;
}

// An item of a claimed putter is gone: it ends, or waits on with the others.
template <class T, class Store>
void queue_core<T, Store>::after_taking(waiter& putter) noexcept {
  if (putter.many) {
    auto& some = static_cast<put_many_waiter<T>&>(putter);
    if (++some.moved < some.count) {
      unclaim(putter);
      return;
    }
  }
  complete(putter, wait_result::done);
}

template <class T, class Store>
T& queue_core<T, Store>::next_item(waiter& putter) noexcept {
  if (!putter.many) return *static_cast<put_waiter<T>&>(putter).value;
  auto& some = static_cast<put_many_waiter<T>&>(putter);
  return some.items[some.moved];
}

// Makes I4 true for those who still wait. False: something has moved, or an item is in flight: look again.
template <class T, class Store>
bool queue_core<T, Store>::settle() noexcept {
  if (!lists_[putter_list].empty() && !head_kick_armed_ && !store_.is_closed()) {
    if (!store_.arm_not_full()) return false;
    head_kick_armed_ = true;
  }
  if (store_.is_closed())
    complete_all(lists_[putter_list], wait_result::closed);  // after arming: E3 in queues/ring.hpp
  if (lists_[getter_list].empty()) return true;
  if (store_.is_closed()) {
    if (store_.size() != 0) return false;
    complete_all(lists_[getter_list], wait_result::closed);
    return true;
  }
  if (!tail_kick_armed_) {
    if (!store_.arm_not_empty()) return false;
    tail_kick_armed_ = true;
  }
  return true;
}

template <class T, class Store>
void queue_core<T, Store>::serve_joiners() noexcept {
  if (lists_[joiner_list].empty()) return;
  std::uint64_t word = 0;
  if (done_kick_armed_) {
    word = done_.load(acquire);  // E1 observe
  } else {
    word = done_.fetch_or(done_kick_flag, acq_rel);  // E1 observe
    done_kick_armed_ = true;
  }
  const std::uint64_t done = word / done_one;
  if (done == store_.tail()) release_joiners(done);
}

// Wakes those who may know of a zero at `zero` (I3).
template <class T, class Store>
void queue_core<T, Store>::release_joiners(std::uint64_t zero) noexcept {
  for (waiter* w = lists_[joiner_list].empty() ? nullptr : &lists_[joiner_list].front(); w != nullptr;) {
    waiter* const after = w->next;
    if (static_cast<join_waiter*>(w)->start <= zero && claim(*w)) complete(*w, wait_result::done);
    w = after;
  }
}

}  // namespace sluice::impl
