#pragma once
// The bounded queue without its public face: a flag ring, the hub that serves its waiters, and the join counter.
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
#include <sluice/queues/errors.hpp>
#include <sluice/queues/fail.hpp>
#include <sluice/queues/ring.hpp>
#include <sluice/queues/waiter_hub.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sluice::impl {

inline constexpr std::uint8_t getter_list = 0;
inline constexpr std::uint8_t putter_list = 1;
inline constexpr std::uint8_t joiner_list = 2;

/// A task that waits for an item.
template <class T>
struct get_waiter : waiter {
  explicit get_waiter(task_context& c) noexcept : waiter(c, getter_list) {}
  std::optional<T> item;
};

/// A task that waits for room. The value stays where it is until the wait is claimed.
template <class T>
struct put_waiter : waiter {
  put_waiter(task_context& c, T& v) noexcept : waiter(c, putter_list), value(&v) {}
  T* value;
};

/// A task that waits until nothing is unfinished.
struct join_waiter : waiter {
  join_waiter(task_context& c, std::uint64_t tail) noexcept : waiter(c, joiner_list), start(tail) {}
  std::uint64_t start;
};

template <class T>
class queue_core final : public waiter_hub {
 public:
  queue_core(std::size_t capacity, std::string name) : waiter_hub(lists_), ring_(capacity), name_(std::move(name)) {}
  ~queue_core();

  ring_status try_put(T& value) noexcept;
  template <class Take>
  ring_status try_get(Take&& take) noexcept;
  void close() noexcept;
  std::vector<T> close_now();

  void task_done(std::uint64_t count);
  /// True: nothing is unfinished. `start` gets what a join_waiter needs otherwise.
  bool joined(std::uint64_t& start) const noexcept;
  std::uint64_t unfinished() const noexcept;

  const ring<T>& items() const noexcept { return ring_; }
  const std::string& name() const noexcept { return name_; }

 private:
  static constexpr unsigned tail_kick = 0;  // a put, for getters
  static constexpr unsigned head_kick = 1;  // a get, for putters
  static constexpr unsigned done_kick = 2;  // a task_done, for joiners
  static constexpr std::uint64_t done_kick_flag = 1;
  static constexpr std::uint64_t done_one = 2;

  [[noreturn]] void refuse_task_done(std::uint64_t count, std::uint64_t unfinished) const;
  void kicked(std::uintptr_t bits) noexcept override;
  void serve() noexcept override;
  void freeze() noexcept;
  void thaw() noexcept;
  bool match() noexcept;
  bool settle() noexcept;
  void serve_joiners() noexcept;
  void release_joiners(std::uint64_t zero) noexcept;

  ring<T> ring_;
  apart after_ring_;
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
  std::string name_;
};

// ------------------------------------------------------------------------------------------ any thread

template <class T>
queue_core<T>::~queue_core() {
  seize();
  if (!lists_[getter_list].empty() || !lists_[putter_list].empty() || !lists_[joiner_list].empty()) {
    fail("queue '" + name_ + "' is destroyed while somebody waits on it (" +
         std::to_string(lists_[getter_list].size()) + " get, " + std::to_string(lists_[putter_list].size()) + " put, " +
         std::to_string(lists_[joiner_list].size()) +
         " join): close it and let them return first, or declare it before the runtime, which cancels its tasks when "
         "it goes");
  }
  if (tail_kick_armed_ && !ring_.kick_on_tail()) await_kick(tail_kick);
  if (head_kick_armed_ && !ring_.kick_on_head()) await_kick(head_kick);
  if (done_kick_armed_ && (done_.load(relaxed) & done_kick_flag) == 0) await_kick(done_kick);
}

template <class T>
ring_status queue_core<T>::try_put(T& value) noexcept {
  const ring_status status = ring_.try_push(value);
  if (status == ring_status::done_kick) [[unlikely]]
    kick(tail_kick);
  return status;
}

template <class T>
template <class Take>
ring_status queue_core<T>::try_get(Take&& take) noexcept {
  const ring_status status = ring_.try_pop(std::forward<Take>(take));
  if (status == ring_status::done_kick) [[unlikely]]
    kick(head_kick);
  return status;
}

template <class T>
void queue_core<T>::close() noexcept {
  const auto closing = ring_.close();
  if (closing.owes_tail_kick) kick(tail_kick);
  if (closing.owes_head_kick) kick(head_kick);
}

template <class T>
std::vector<T> queue_core<T>::close_now() {
  close();
  std::vector<T> left;
  left.reserve(ring_.size());  // every put that claimed before close() is counted here
  short_wait serving;
  for (;;) {
    const ring_status status = try_get([&](T&& item) { left.push_back(std::move(item)); });
    if (status == ring_status::closed) break;
    if (status != ring_status::frozen) continue;
    take_over();  // the runner gives what is left to those who waited first
    serving();
  }
  if (!left.empty()) task_done(left.size());
  return left;
}

template <class T>
void queue_core<T>::task_done(std::uint64_t count) {
  std::uint64_t word = done_.load(acquire);  // E1 observe
  std::uint64_t next = 0;
  std::uint64_t after = 0;
  do {
    after = word / done_one + count;
    if (after > tail_seen_.load(relaxed)) {
      const std::uint64_t tail = ring_.tail();
      tail_seen_.store(tail, relaxed);
      if (after > tail) refuse_task_done(count, tail - word / done_one);
    }
    next = word + count * done_one;
    // A put may still come between: then this is no zero, and the kick is for nothing.
    if ((word & done_kick_flag) != 0 && ring_.tail() == after) next &= ~done_kick_flag;
    // E1 publish. E1 observe when `word` was read, whose value comes once: I2, and who meets zero passes on what the others wrote
  } while (!done_.compare_exchange_weak(word, next, release, acquire));
  if ((word & done_kick_flag) == (next & done_kick_flag)) return;  // I5
  if (ring_.tail() == after) zero_at_.set(after);
  kick(done_kick);
}

template <class T>
void queue_core<T>::refuse_task_done(std::uint64_t count, std::uint64_t unfinished) const {
  throw std::logic_error("sluice: task_done(" + std::to_string(count) + ") on queue '" + name_ + "', where " +
                         std::to_string(unfinished) +
                         " of the items put are unfinished: call it once for each item that was got");
}

template <class T>
bool queue_core<T>::joined(std::uint64_t& start) const noexcept {
  const std::uint64_t done = done_.load(acquire) / done_one;  // E1 observe
  start = ring_.tail();
  return done == start;  // I2
}

template <class T>
std::uint64_t queue_core<T>::unfinished() const noexcept {
  const std::uint64_t done = done_.load(acquire) / done_one;  // E1 observe. A snapshot; read first, so never negative
  return ring_.tail() - done;
}

// ------------------------------------------------------------------------------------------ the runner

template <class T>
void queue_core<T>::kicked(std::uintptr_t bits) noexcept {
  if ((bits & kick_bit(tail_kick)) != 0) tail_kick_armed_ = false;
  if ((bits & kick_bit(head_kick)) != 0) head_kick_armed_ = false;
  if ((bits & kick_bit(done_kick)) != 0) {
    done_kick_armed_ = false;
    release_joiners(zero_at_.get());
  }
}

template <class T>
void queue_core<T>::serve() noexcept {
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
template <class T>
void queue_core<T>::freeze() noexcept {
  if (!lists_[getter_list].empty() && !head_frozen_) {
    ring_.freeze_head();
    head_frozen_ = true;
  }
  if (!lists_[putter_list].empty() && !tail_frozen_) {
    ring_.freeze_tail();
    tail_frozen_ = true;
  }
}

template <class T>
void queue_core<T>::thaw() noexcept {
  if (lists_[getter_list].empty() && head_frozen_) {
    ring_.thaw_head();
    head_frozen_ = false;
  }
  if (lists_[putter_list].empty() && tail_frozen_) {
    ring_.thaw_tail();
    tail_frozen_ = false;
  }
}

// Moves items to getters and from putters, in order, as far as it goes. True: something moved.
template <class T>
bool queue_core<T>::match() noexcept {
  bool moved = false;
  waiter_list& getters = lists_[getter_list];
  while (!getters.empty() && !enough()) {
    T* const item = ring_.front();
    if (item == nullptr) break;
    waiter& w = getters.front();
    if (!claim(w)) continue;
    static_cast<get_waiter<T>&>(w).item.emplace(std::move(*item));
    head_frozen_ = !getters.empty();
    ring_.pop_front(!head_frozen_);
    complete(w, wait_result::done);
    moved = true;
  }
  waiter_list& putters = lists_[putter_list];
  while (!putters.empty() && !ring_.is_closed() && !enough()) {
    void* const place = ring_.back();
    if (place == nullptr) break;
    waiter& w = putters.front();
    if (!claim(w)) continue;
    std::construct_at(static_cast<T*>(place), std::move(*static_cast<put_waiter<T>&>(w).value));
    tail_frozen_ = !putters.empty();
    ring_.push_back(!tail_frozen_);
    complete(w, wait_result::done);
    moved = true;
  }
  return moved;
}

// Makes I4 true for those who still wait. False: something has moved, or an item is in flight: look again.
template <class T>
bool queue_core<T>::settle() noexcept {
  if (!lists_[putter_list].empty() && !head_kick_armed_ && !ring_.is_closed()) {
    if (!ring_.arm_not_full()) return false;
    head_kick_armed_ = true;
  }
  if (ring_.is_closed()) complete_all(lists_[putter_list], wait_result::closed);  // after arming: E3 in queues/ring.hpp
  if (lists_[getter_list].empty()) return true;
  if (ring_.is_closed()) {
    if (ring_.head() != ring_.tail()) return false;
    complete_all(lists_[getter_list], wait_result::closed);
    return true;
  }
  if (!tail_kick_armed_) {
    if (!ring_.arm_not_empty()) return false;
    tail_kick_armed_ = true;
  }
  return true;
}

template <class T>
void queue_core<T>::serve_joiners() noexcept {
  if (lists_[joiner_list].empty()) return;
  std::uint64_t word = 0;
  if (done_kick_armed_) {
    word = done_.load(acquire);  // E1 observe
  } else {
    word = done_.fetch_or(done_kick_flag, acq_rel);  // E1 observe
    done_kick_armed_ = true;
  }
  const std::uint64_t done = word / done_one;
  if (done == ring_.tail()) release_joiners(done);
}

// Wakes those who may know of a zero at `zero` (I3).
template <class T>
void queue_core<T>::release_joiners(std::uint64_t zero) noexcept {
  for (waiter* w = lists_[joiner_list].empty() ? nullptr : &lists_[joiner_list].front(); w != nullptr;) {
    waiter* const after = w->next;
    if (static_cast<join_waiter*>(w)->start <= zero && claim(*w)) complete(*w, wait_result::done);
    w = after;
  }
}

}  // namespace sluice::impl
