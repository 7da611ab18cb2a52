#pragma once
// The half of a queue that one thread at a time runs, the runner of its hub: it moves items from and to those who wait, and leaves flags in the
// store by which others find whoever still waits. The other half is queue_core.hpp.
//
// I1  While getters wait, head is frozen, and the store is empty and tail's kick is set, or that kick is owed; while putters wait, tail is
//     frozen, and the store is full and head's kick is set, or that kick is owed. The runner leaves only so: no wakeup is lost.
// I2  A slot is reserved for as long as its holder likes, so it takes no cell: it is counted (slots_), and tail is frozen while there are any.
//     So only the runner admits, and room is what neither items nor slots have: exact. A slot is filled even when the store is closed;
//     whoever gets has not drained a closed queue before the last slot is gone.
// I3  Only the runner changes the number of slots.
// I4  A side may be frozen though nobody waits there: while there are slots, and while somebody looks or is admitted. Whoever finds it frozen then
//     asks the runner. The flag for that is set before the first such thing, for good.
// E1  the slot filled, then not counted any more (release) -> who finds the store closed, empty and no slot (acquire): the item. It looks again.
// A slot is counted before the store is confirmed open, and so before a close that does not find it; and the flag of I4 is set before the runner
// freezes a side. The stores hand both over, with the words in which others find "closed" and "frozen": E7 and E8 in ring.hpp.

#include <sluice/queues/apart.hpp>
#include <sluice/queues/atomic.hpp>
#include <sluice/queues/item_store.hpp>
#include <sluice/queues/queue_base.hpp>
#include <sluice/queues/queue_waiters.hpp>
#include <sluice/queues/short_wait.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace sluice::impl {

template <class T, class Store>
class queue_server : public queue_base {
 protected:
  static constexpr unsigned tail_kick = 0;  // a put, for getters
  static constexpr unsigned head_kick = 1;  // a get, for putters
  static constexpr unsigned done_kick = 2;  // a task_done, for joiners
  static constexpr std::uint64_t done_kick_flag = 1;
  static constexpr std::uint64_t done_one = 2;

  queue_server(queue_kind kind, std::uint64_t cells, std::string name)
      : queue_base(lists_, std::move(name)), store_(cells), kind_(kind) {}
  ~queue_server() = default;

  /// A destructor's work, while the object is still whole, because the items' destructors may look at it: they find it closed.
  void finish() noexcept;

  // wait() and kick() of the hub, with short cuts for the one who finds nobody at work: what serve() would do, where it would do no more.
  [[nodiscard]] bool wait_first(waiter& w, const char* operation) noexcept;
  void kick_tail() noexcept;
  void kick_head() noexcept;

  // The runner's, called by as_runner().
  /// Puts `value` for somebody who does not wait, if nobody does; makes room for it in an unbounded queue.
  item_status admit(T& value) noexcept;
  /// Counts one slot more, likewise.
  item_status reserve() noexcept;
  /// Puts `value` where a slot is counted, which ends. False: it ends without that, because nobody will get.
  bool fill_slot(T& value) noexcept;
  void give_up_slot() noexcept { slots_.store(slots_.load(relaxed) - 1, release); }  // E1 publish
  /// Moves the item that is the next to go to `place`, if nobody waits for it.
  item_status fetch(std::optional<T>& place) noexcept;
  /// Copies it.
  item_status look(std::optional<T>& copy) noexcept;
  /// A rendezvous: gives `value` to a getter that waits.
  item_status meet_getter(T& value) noexcept;
  /// A rendezvous: takes the item of a putter that waits.
  void meet_putter(std::optional<T>& item) noexcept;

  Store store_;
  apart after_store_;
  atomic<std::uint64_t> done_{0};       // queue_core.hpp; task_done and the runner
  atomic<std::uint64_t> tail_seen_{0};  // some past index of tail; relaxed: never too big
  plain<std::uint64_t> zero_at_{
      0};  // the newest zero that a joiner may know of; whoever owes the kick, then the runner
  apart after_done_;
  atomic<std::uint64_t> slots_{0};        // how many are reserved; the runner
  atomic<bool> is_held_at_times_{false};  // I4; set by users, relaxed: the stores hand it over
  std::uint64_t refused_ = 0;             // runner-private: waiting puts that a close ended
  bool is_abandoned_ = false;             // runner-private: nobody will get any more
  const plain<queue_kind> kind_;          // through the door, so that the models see who asks too late

 private:
  bool rest_getters() noexcept;
  bool rest_putters() noexcept;
  bool serve_getter() noexcept;
  bool serve_putter() noexcept;
  bool leave_and_wake(waiter& w) noexcept;
  void kicked(std::uintptr_t bits) noexcept final;
  void serve() noexcept final;
  void freeze() noexcept;
  void thaw() noexcept;
  void hold_tail() noexcept;
  void hold_head() noexcept;
  bool keeps_tail() const noexcept { return !lists_[putter_list].empty() || slots_.load(relaxed) != 0; }
  std::uint64_t room_for_items() const noexcept;
  bool is_drained() const noexcept { return store_.is_closed() && store_.size() == 0 && slots_.load(relaxed) == 0; }
  bool has_room() const noexcept { return store_.size() < room_for_items(); }
  item_status find_front(T*& item) noexcept;
  T* wait_for_front() noexcept;
  item_status make_room() noexcept;
  bool add_slot() noexcept;
  bool match() noexcept;
  void give_item(waiter& getter) noexcept;
  wait_result take_items(waiter& putter) noexcept;
  bool pair() noexcept;
  bool pass(T& value, get_waiter<T>& getter) noexcept;
  void after_taking(waiter& putter) noexcept;
  static T& next_item(waiter& putter) noexcept;
  bool settle() noexcept;
  void refuse(waiter& putter) noexcept;
  void serve_joiners() noexcept;
  void release_joiners(std::uint64_t zero) noexcept;

  waiter_list lists_[3];  // runner-private from here on
  bool head_frozen_ = false;
  bool tail_frozen_ = false;
  bool tail_kick_armed_ = false;  // set, or cleared and owed; likewise below
  bool head_kick_armed_ = false;
  bool done_kick_armed_ = false;
};

// -----------------------------------------------------------------------------------------------------------

template <class T, class Store>
void queue_server<T, Store>::finish() noexcept {
  seize();
  if (!lists_[getter_list].empty() || !lists_[putter_list].empty() || !lists_[joiner_list].empty()) {
    fail_destroyed(lists_[getter_list].size(), lists_[putter_list].size(), lists_[joiner_list].size());
  }
  if (slots_.load(relaxed) != 0) fail_reserved(slots_.load(relaxed));
  if (tail_kick_armed_ && !store_.kick_on_tail()) await_kick(tail_kick);
  if (head_kick_armed_ && !store_.kick_on_head()) await_kick(head_kick);
  if (done_kick_armed_ && (done_.load(relaxed) & done_kick_flag) == 0) await_kick(done_kick);
  store_.close();
  store_.clear();
}

// ------------------------------------------------------------------------------------------ short cuts

// True: the task stays suspended.
template <class T, class Store>
[[gnu::noinline]] bool queue_server<T, Store>::wait_first(waiter& w, const char* operation) noexcept {
  this->note(w, operation);
  if (!this->enter()) return this->wait_behind(w);
  const bool behind = !lists_[w.list].empty();  // of others, for whom all has been done: I1
  const bool alone = lists_[getter_list].empty() && lists_[putter_list].empty() && !head_frozen_ && !tail_frozen_;
  if (!this->link(w)) return false;
  const bool rests = behind || (alone && (w.list == getter_list ? rest_getters() : rest_putters()));
  if (rests && this->leave()) return true;
  return !this->run(&w);
}

// There is nothing for the getters, or for the putters: arms the kick that will tell. False: not so.
template <class T, class Store>
bool queue_server<T, Store>::rest_getters() noexcept {
  hold_head();
  if (tail_kick_armed_ || !store_.arm_not_empty()) return false;
  tail_kick_armed_ = true;
  return true;
}

template <class T, class Store>
bool queue_server<T, Store>::rest_putters() noexcept {
  hold_tail();
  if (head_kick_armed_ || !store_.arm_not_full(room_for_items())) return false;
  head_kick_armed_ = true;
  return !store_.is_closed();  // after arming: E3 in queues/ring.hpp
}

template <class T, class Store>
void queue_server<T, Store>::kick_tail() noexcept {
  if (!this->enter()) return this->kick_behind(tail_kick);
  tail_kick_armed_ = false;
  if (!serve_getter()) this->run(nullptr);
}

template <class T, class Store>
void queue_server<T, Store>::kick_head() noexcept {
  if (!this->enter()) return this->kick_behind(head_kick);
  head_kick_armed_ = false;
  if (!serve_putter()) this->run(nullptr);
}

// Gives the first getter its item, where no putter waits. True: the caller has left. False: it still runs.
template <class T, class Store>
bool queue_server<T, Store>::serve_getter() noexcept {
  waiter_list& getters = lists_[getter_list];
  if (getters.empty() || tail_frozen_ || getters.front().kind != wait_kind::item || store_.front() == nullptr) {
    return false;
  }
  waiter& w = getters.front();
  if (!claim(w)) return false;
  head_frozen_ = !getters.empty();
  store_.pop_front(static_cast<get_waiter<T>&>(w).item, !head_frozen_);
  if ((!head_frozen_ || rest_getters()) && leave_and_wake(w)) return true;
  complete(w, wait_result::done);
  return false;
}

// Takes the first putter's item, where no getter waits. Likewise.
template <class T, class Store>
bool queue_server<T, Store>::serve_putter() noexcept {
  waiter_list& putters = lists_[putter_list];
  if (putters.empty() || head_frozen_ || putters.front().kind != wait_kind::item || !has_room() ||
      !store_.is_back_free()) {
    return false;
  }
  waiter& w = putters.front();
  if (!claim(w)) return false;
  const bool thaw = !keeps_tail();
  if (!store_.push_back(*static_cast<put_waiter<T>&>(w).value, thaw)) {
    refuse(w);
    return false;
  }
  tail_frozen_ = !thaw;
  if ((putters.empty() || rest_putters()) && leave_and_wake(w)) return true;
  complete(w, wait_result::done);
  return false;
}

template <class T, class Store>
bool queue_server<T, Store>::leave_and_wake(waiter& w) noexcept {
  w.result = wait_result::done;
  if (!this->leave()) return false;
  w.context->wake();
  return true;
}

// ------------------------------------------------------------------------------------------ for those who do not wait

template <class T, class Store>
item_status queue_server<T, Store>::admit(T& value) noexcept {
  if (store_.is_closed()) return item_status::closed;
  hold_tail();
  if (!lists_[putter_list].empty()) return item_status::frozen;
  const item_status status = make_room();
  if (status != item_status::done) return status;
  short_wait emptying;
  while (!store_.is_back_free()) emptying();
  return store_.push_back(value, false) ? item_status::done : item_status::closed;
}

template <class T, class Store>
item_status queue_server<T, Store>::reserve() noexcept {
  if (store_.is_closed()) return item_status::closed;
  hold_tail();
  if (!lists_[putter_list].empty()) return item_status::frozen;
  const item_status status = make_room();
  if (status != item_status::done) return status;
  return add_slot() ? item_status::done : item_status::closed;
}

// There is room. False: closed by now.
template <class T, class Store>
bool queue_server<T, Store>::add_slot() noexcept {
  slots_.store(slots_.load(relaxed) + 1, relaxed);
  if (store_.confirm_open()) return true;
  give_up_slot();
  return false;
}

template <class T, class Store>
bool queue_server<T, Store>::fill_slot(T& value) noexcept {
  short_wait emptying;
  while (!is_abandoned_ && !store_.is_back_free()) emptying();
  if (!is_abandoned_) store_.push_back(value, false, true);
  give_up_slot();
  return !is_abandoned_;
}

template <class T, class Store>
item_status queue_server<T, Store>::fetch(std::optional<T>& place) noexcept {
  T* item = nullptr;
  const item_status status = find_front(item);
  if (item != nullptr) store_.pop_front(place, false);
  return status;
}

template <class T, class Store>
item_status queue_server<T, Store>::look(std::optional<T>& copy) noexcept {
  T* item = nullptr;
  const item_status status = find_front(item);
  if (item != nullptr) copy.emplace(*item);
  return status;
}

template <class T, class Store>
item_status queue_server<T, Store>::find_front(T*& item) noexcept {
  if (!lists_[getter_list].empty()) return is_drained() ? item_status::closed : item_status::frozen;
  hold_head();  // first: an item that is there when it is open stays until it is seen
  const bool ends = store_.is_closed() && slots_.load(relaxed) == 0;  // asked before: then what is put is there
  item = wait_for_front();
  if (item != nullptr) return item_status::done;
  return ends ? item_status::closed : item_status::nothing;
}

// The item that is the next to go, once it is published. Null: there is none. Head is frozen.
template <class T, class Store>
T* queue_server<T, Store>::wait_for_front() noexcept {
  short_wait filling;
  for (; store_.size() != 0; filling()) {
    if (T* const item = store_.front()) return item;
  }
  return nullptr;
}

// One that is not registered yet does not wait.
template <class T, class Store>
item_status queue_server<T, Store>::meet_getter(T& value) noexcept {
  waiter_list& getters = lists_[getter_list];
  while (!getters.empty()) {
    waiter& w = getters.front();
    if (claim(w)) return pass(value, static_cast<get_waiter<T>&>(w)) ? item_status::done : item_status::closed;
  }
  return item_status::nothing;
}

template <class T, class Store>
void queue_server<T, Store>::meet_putter(std::optional<T>& item) noexcept {
  waiter_list& putters = lists_[putter_list];
  while (!item && !putters.empty() && !store_.is_closed()) {
    waiter& w = putters.front();
    if (!claim(w)) continue;
    if (store_.pass_tail()) {
      item.emplace(std::move(next_item(w)));
      store_.pass_head();
      after_taking(w);
    } else {
      refuse(w);
    }
  }
}

template <class T, class Store>
void queue_server<T, Store>::hold_tail() noexcept {
  if (tail_frozen_) return;
  store_.freeze_tail();
  tail_frozen_ = true;
}

template <class T, class Store>
void queue_server<T, Store>::hold_head() noexcept {
  if (head_frozen_) return;
  store_.freeze_head();
  head_frozen_ = true;
}

// How many items there may be: what the slots do not have.
template <class T, class Store>
std::uint64_t queue_server<T, Store>::room_for_items() const noexcept {
  const std::uint64_t capacity = store_.capacity();
  return capacity - std::min(capacity, slots_.load(relaxed));
}

// Done: there is room. Tail is frozen, so it stays.
template <class T, class Store>
item_status queue_server<T, Store>::make_room() noexcept {
  if (has_room()) return item_status::done;
  if (kind_.get() != queue_kind::unbounded) return item_status::nothing;
  const std::uint64_t present = store_.capacity();
  const bool grown = present < Store::largest && store_.resize(std::min(2 * present, Store::largest));
  return grown ? item_status::done : item_status::no_memory;
}

// ------------------------------------------------------------------------------------------ the runner

template <class T, class Store>
void queue_server<T, Store>::kicked(std::uintptr_t bits) noexcept {
  if ((bits & kick_bit(tail_kick)) != 0) tail_kick_armed_ = false;
  if ((bits & kick_bit(head_kick)) != 0) head_kick_armed_ = false;
  if ((bits & kick_bit(done_kick)) != 0) {
    done_kick_armed_ = false;
    release_joiners(zero_at_.get());
  }
}

template <class T, class Store>
void queue_server<T, Store>::serve() noexcept {
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
void queue_server<T, Store>::freeze() noexcept {
  if (!lists_[getter_list].empty()) hold_head();
  if (!lists_[putter_list].empty()) hold_tail();
}

template <class T, class Store>
void queue_server<T, Store>::thaw() noexcept {
  if (lists_[getter_list].empty() && head_frozen_) {
    store_.thaw_head();
    head_frozen_ = false;
  }
  if (!keeps_tail() && tail_frozen_) {
    store_.thaw_tail();
    tail_frozen_ = false;
  }
}

// Moves items to getters and from putters, in order, as far as it goes. True: something moved.
template <class T, class Store>
bool queue_server<T, Store>::match() noexcept {
  if (kind_.get() == queue_kind::rendezvous) return pair();
  bool moved = false;
  waiter_list& getters = lists_[getter_list];
  while (!getters.empty() && !enough() && store_.front() != nullptr) {
    waiter& w = getters.front();
    if (!claim(w)) continue;
    give_item(w);
    moved = true;
  }
  waiter_list& putters = lists_[putter_list];
  while (!putters.empty() && !store_.is_closed() && !enough() && has_room() && store_.is_back_free()) {
    waiter& w = putters.front();
    if (!claim(w)) continue;
    const wait_result result = take_items(w);
    if (result == wait_result::closed) {
      refuse(w);
    } else if (result == wait_result::done) {
      complete(w, result);
    } else {
      unclaim(w);
    }
    moved = true;
  }
  return moved;
}

// There is an item, and `w` has been claimed.
template <class T, class Store>
void queue_server<T, Store>::give_item(waiter& w) noexcept {
  auto& getter = static_cast<get_waiter<T>&>(w);
  bool looks = false;
  if constexpr (std::is_trivially_copyable_v<T>) {
    looks = getter.kind == wait_kind::look;
    if (looks) getter.item.emplace(*wait_for_front());
  }
  if (!looks) {
    head_frozen_ = !lists_[getter_list].empty();
    store_.pop_front(getter.item, !head_frozen_);
  }
  complete(w, wait_result::done);
}

// There is room, and `w` has been claimed. None: it has more than there is room for.
template <class T, class Store>
wait_result queue_server<T, Store>::take_items(waiter& w) noexcept {
  if (w.kind == wait_kind::slot) return add_slot() ? wait_result::done : wait_result::closed;
  if (w.kind == wait_kind::item) {
    const bool thaw = !keeps_tail();
    if (!store_.push_back(*static_cast<put_waiter<T>&>(w).value, thaw)) return wait_result::closed;
    tail_frozen_ = !thaw;
    return wait_result::done;
  }
  auto& some = static_cast<put_many_waiter<T>&>(w);
  while (some.moved < some.count && has_room() && store_.is_back_free()) {
    if (!store_.push_back(next_item(w), false)) return wait_result::closed;
    ++some.moved;
  }
  return some.moved == some.count ? wait_result::done : wait_result::none;
}

// A rendezvous: moves items from putters to getters. True: something moved.
template <class T, class Store>
bool queue_server<T, Store>::pair() noexcept {
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
      refuse(putter);
    }
    moved = true;
  }
  return moved;
}

// From hand to hand, to a getter that has been claimed. False: closed by now, and the getter hears of that.
template <class T, class Store>
bool queue_server<T, Store>::pass(T& value, get_waiter<T>& getter) noexcept {
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
void queue_server<T, Store>::after_taking(waiter& putter) noexcept {
  if (putter.kind == wait_kind::items) {
    auto& some = static_cast<put_many_waiter<T>&>(putter);
    if (++some.moved < some.count) {
      unclaim(putter);
      return;
    }
  }
  complete(putter, wait_result::done);
}

template <class T, class Store>
T& queue_server<T, Store>::next_item(waiter& putter) noexcept {
  if (putter.kind == wait_kind::item) return *static_cast<put_waiter<T>&>(putter).value;
  auto& some = static_cast<put_many_waiter<T>&>(putter);
  return some.items[some.moved];
}

// Makes I4 true for those who still wait. False: something has moved, or an item is in flight: look again.
template <class T, class Store>
bool queue_server<T, Store>::settle() noexcept {
  if (!lists_[putter_list].empty() && !head_kick_armed_ && !store_.is_closed()) {
    if (!store_.arm_not_full(room_for_items())) return false;
    head_kick_armed_ = true;
  }
  // After arming: E3 in queues/ring.hpp
  if (store_.is_closed()) claim_all(lists_[putter_list], [this](waiter& w) { refuse(w); });
  if (lists_[getter_list].empty()) return true;
  if (store_.is_closed()) {
    if (store_.size() != 0) return false;
    if (is_drained()) complete_all(lists_[getter_list], wait_result::closed);
    return true;
  }
  if (!tail_kick_armed_) {
    if (!store_.arm_not_empty()) return false;
    tail_kick_armed_ = true;
  }
  return true;
}

// A claimed putter ends, because the queue is closed.
template <class T, class Store>
void queue_server<T, Store>::refuse(waiter& putter) noexcept {
  const bool has_put = putter.kind == wait_kind::items && static_cast<put_many_waiter<T>&>(putter).moved != 0;
  if (putter.kind != wait_kind::slot && !has_put) ++refused_;
  complete(putter, wait_result::closed);
}

template <class T, class Store>
void queue_server<T, Store>::serve_joiners() noexcept {
  if (lists_[joiner_list].empty()) return;
  std::uint64_t word = 0;
  if (done_kick_armed_) {
    word = done_.load(acquire);  // E1 of queue_core.hpp observed
  } else {
    word = done_.fetch_or(done_kick_flag, acq_rel);  // E1 of queue_core.hpp observed
    done_kick_armed_ = true;
  }
  const std::uint64_t done = word / done_one;
  if (done == store_.tail()) release_joiners(done);
}

// Wakes those who may know of a zero at `zero` (I3).
template <class T, class Store>
void queue_server<T, Store>::release_joiners(std::uint64_t zero) noexcept {
  for (waiter* w = lists_[joiner_list].empty() ? nullptr : &lists_[joiner_list].front(); w != nullptr;) {
    waiter* const after = w->next;
    if (static_cast<join_waiter*>(w)->start <= zero && claim(*w)) complete(*w, wait_result::done);
    w = after;
  }
}

}  // namespace sluice::impl
