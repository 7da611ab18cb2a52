#pragma once
// The flag ring: a bounded ring of cells, many putters and many getters, whose two index words also carry
// the flags by which waiters are found. One compare-and-swap and one release store for each operation.
//
//   tail:  index of the next put  | closed | frozen | kick     written by putters, runner, close
//   head:  index of the next get  |          frozen | kick     written by getters, runner
//     kick    waiters on the other side: the operation that advances this word must kick the hub (its CAS clears it)
//     frozen  waiters on this side: only the runner advances the word; newcomers must wait behind them
//     closed  no put any more
//   cell.sequence:  i  free for put i     i+1  holds item i     i+N  free for the next lap    (N cells, a power of two)
//
// I1  head <= tail <= head + capacity. Admission compares with a past head (`head_seen_`), which is never too big.
// I2  A cell is claimed only when it was seen free (put) or published (get): nobody spins holding a claim. Between the claim
//     and the cell's release store stand a few instructions; a thread preempted there delays this cell and, for a put, the
//     queue's head: no mutex, no spinlock, yet not formally lock-free.
// I3  kick is set on tail only by a CAS that proves "empty": tail's index equals head's while head is frozen. On head likewise: "full".
// E1  put publishes the cell (release) -> get observes it (acquire): the item.
// E2  get frees the cell (release) -> put of the next lap observes it (acquire): the item's end of life.
// E3  close sets closed on tail, then clears kick on head (release) -> the runner sets kick on head (acquire), then looks at
//     closed: either close sees the kick, and kicks, or the runner sees closed.
// E4  who advances tail (release) -> who compares with that tail (acquire): no older head than the advancing side knew, so "full" is
//     true at some moment.
// E5  who advances head (release) -> who compares with that head (acquire): no older tail, so "empty" is, and tail - head is never
//     negative.
// Otherwise the index words hand over nothing (relaxed): items travel by the cells, waiting by the hub's inbox.
//
// Source: D. Vyukov's bounded MPMC queue; the flags are ours (queues/README.md). N is at least 2: with one cell, "holds item i"
// and "free for the next lap" would be the same number.

#include <sluice/queues/apart.hpp>
#include <sluice/queues/atomic.hpp>
#include <sluice/queues/short_wait.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace sluice::impl {

enum class ring_status : std::uint8_t {
  done,
  done_kick,  // done, and a kick is owed
  nothing,    // full (put) or empty (get)
  frozen,     // waiters were first
  closed,     // put: closed. get: closed and empty
};

template <class T>
class ring {
 public:
  static constexpr std::uint64_t kick = 1;
  static constexpr std::uint64_t frozen = 2;
  static constexpr std::uint64_t closed = 4;
  static constexpr std::uint64_t one = 8;

  /// Throws std::invalid_argument, std::bad_alloc.
  explicit ring(std::size_t capacity);
  ~ring();
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;

  /// Any thread. Moves from `value` only when the result is done or done_kick.
  ring_status try_push(T& value) noexcept;
  /// Any thread. `take` is called with the item, as an rvalue, at most once.
  template <class Take>
  ring_status try_pop(Take&& take) noexcept;

  std::uint64_t head() const noexcept { return head_.load(acquire) / one; }  // E5 observe
  std::uint64_t tail() const noexcept { return tail_.load(relaxed) / one; }
  bool is_closed() const noexcept { return (tail_.load(relaxed) & closed) != 0; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t size() const noexcept;

  struct closing {
    bool first;           // it was open before
    bool owes_tail_kick;  // a getter waited
    bool owes_head_kick;  // a putter waited
  };
  /// No put is claimed any more. Any thread.
  closing close() noexcept;

  // The runner's. The word must be frozen by it, where it advances the word.
  void freeze_head() noexcept { head_.fetch_or(frozen, relaxed); }
  void freeze_tail() noexcept { tail_.fetch_or(frozen, relaxed); }
  void thaw_head() noexcept { head_.fetch_and(~frozen, relaxed); }
  void thaw_tail() noexcept { tail_.fetch_and(~frozen, relaxed); }
  /// The item at the head, or null while it is absent or being written.
  T* front() noexcept;
  /// Destroys the item in front and frees its cell; `thaw`: head is thawed by the same step.
  void pop_front(bool thaw) noexcept;
  /// Where the next item goes, or null while there is no room or the cell is still being emptied.
  void* back() noexcept;
  /// The item was constructed in back(); `thaw`: tail is thawed by the same step.
  void push_back(bool thaw) noexcept;
  /// Sets kick on tail if the ring is empty (head frozen) and open. False: not so.
  bool arm_not_empty() noexcept;
  /// Sets kick on head if the ring is full (tail frozen). False: not so.
  bool arm_not_full() noexcept;
  bool kick_on_tail() const noexcept { return (tail_.load(relaxed) & kick) != 0; }
  bool kick_on_head() const noexcept { return (head_.load(relaxed) & kick) != 0; }

 private:
  struct cell {
    atomic<std::uint64_t> sequence;  // see above
    alignas(T) std::byte storage[sizeof(T)];

    T* item() noexcept { return std::launder(reinterpret_cast<T*>(storage)); }
  };

  cell& at(std::uint64_t index) noexcept { return cells_[index & mask_]; }
  bool full(std::uint64_t tail_index) noexcept;

  atomic<std::uint64_t> tail_{0};       // see above
  atomic<std::uint64_t> head_seen_{0};  // some past index of head; putters, relaxed: never too big
  apart after_tail_;
  atomic<std::uint64_t> head_{0};  // see above
  apart after_head_;
  std::unique_ptr<cell[]> cells_;
  std::uint64_t mask_;
  std::uint64_t capacity_;
};

// -----------------------------------------------------------------------------------------------------------

template <class T>
ring<T>::ring(std::size_t capacity) {
  constexpr std::size_t largest = std::size_t{1} << 40;
  if (capacity == 0 || capacity > largest) {
    throw std::invalid_argument("sluice: the capacity of a queue must be between 1 and 2^40, not " +
                                std::to_string(capacity) +
                                (capacity == 0 ? ": give at least 1" : ": was a negative number converted?"));
  }
  const std::size_t cells = std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity);
  cells_ = std::make_unique<cell[]>(cells);
  mask_ = cells - 1;
  capacity_ = capacity;
  for (std::size_t i = 0; i < cells; ++i) cells_[i].sequence.store(i, relaxed);  // not shared yet
}

template <class T>
ring<T>::~ring() {
  for (std::uint64_t i = head(); i != tail(); ++i) std::destroy_at(at(i).item());
}

template <class T>
ring_status ring<T>::try_push(T& value) noexcept {
  std::uint64_t word = tail_.load(acquire);  // E4 observe
  short_wait emptying;
  for (;;) {
    if ((word & (frozen | closed)) != 0) [[unlikely]]
      return (word & closed) != 0 ? ring_status::closed : ring_status::frozen;
    const std::uint64_t index = word / one;
    if (full(index)) [[unlikely]] {
      const std::uint64_t again = tail_.load(acquire);  // E4 observe
      if (again == word) return ring_status::nothing;
      word = again;
      continue;
    }
    cell& c = at(index);
    if (c.sequence.load(acquire) != index) [[unlikely]] {  // E2 observe. A getter is still moving out, or word is old.
      emptying();
      word = tail_.load(acquire);  // E4 observe
      continue;
    }
    // E4 publish, E4 observe
    if (!tail_.compare_exchange_weak(word, (word + one) & ~kick, release, acquire)) continue;
    std::construct_at(c.item(), std::move(value));
    c.sequence.store(index + 1, release);  // E1 publish
    return (word & kick) != 0 ? ring_status::done_kick : ring_status::done;
  }
}

template <class T>
template <class Take>
ring_status ring<T>::try_pop(Take&& take) noexcept {
  std::uint64_t word = head_.load(acquire);  // E5 observe
  short_wait filling;
  for (;;) {
    if ((word & frozen) != 0) [[unlikely]]
      return ring_status::frozen;
    const std::uint64_t index = word / one;
    cell& c = at(index);
    if (c.sequence.load(acquire) == index + 1) [[likely]] {  // E1 observe
      // E5 publish, E5 observe
      if (!head_.compare_exchange_weak(word, (word + one) & ~kick, release, acquire)) continue;
      take(std::move(*c.item()));
      std::destroy_at(c.item());
      c.sequence.store(index + mask_ + 1, release);  // E2 publish
      return (word & kick) != 0 ? ring_status::done_kick : ring_status::done;
    }
    // tail == index proves "empty" at this moment, however old `word` is: head lies between the two.
    const std::uint64_t other = tail_.load(relaxed);
    if (other / one == index) return (other & closed) != 0 ? ring_status::closed : ring_status::nothing;
    filling();                   // a put has claimed the cell and is about to publish it, or `word` is old
    word = head_.load(acquire);  // E5 observe
  }
}

template <class T>
typename ring<T>::closing ring<T>::close() noexcept {
  std::uint64_t word = tail_.load(relaxed);
  do {
    if ((word & closed) != 0) return {false, false, false};
  } while (!tail_.compare_exchange_weak(word, (word | closed) & ~kick, relaxed, relaxed));
  const std::uint64_t before = head_.fetch_and(~kick, release);  // E3 publish
  return {true, (word & kick) != 0, (before & kick) != 0};
}

template <class T>
std::size_t ring<T>::size() const noexcept {
  const std::uint64_t first = head();
  const std::uint64_t last = tail();
  return last - first > capacity_ ? capacity_ : last - first;  // head was read first: last >= first
}

// Whether put `tail_index` has no room: against a past head, and against the present one before it says so.
template <class T>
bool ring<T>::full(std::uint64_t tail_index) noexcept {
  if (tail_index - head_seen_.load(relaxed) < capacity_) [[likely]]
    return false;
  const std::uint64_t present = head();
  head_seen_.store(present, relaxed);
  return tail_index - present >= capacity_;
}

template <class T>
T* ring<T>::front() noexcept {
  const std::uint64_t index = head();
  cell& c = at(index);
  return c.sequence.load(acquire) == index + 1 ? c.item() : nullptr;  // E1 observe
}

template <class T>
void ring<T>::pop_front(bool thaw) noexcept {
  const std::uint64_t word = head_.load(relaxed);
  cell& c = at(word / one);
  std::destroy_at(c.item());
  // E5 publish. Frozen: nobody else moves the index, but close() may clear the kick
  head_.fetch_add(thaw ? one - frozen : one, release);
  c.sequence.store(word / one + mask_ + 1, release);  // E2 publish
}

template <class T>
void* ring<T>::back() noexcept {
  const std::uint64_t index = tail();
  if (index - head() >= capacity_) return nullptr;
  cell& c = at(index);
  return c.sequence.load(acquire) == index ? c.storage : nullptr;  // E2 observe
}

template <class T>
void ring<T>::push_back(bool thaw) noexcept {
  // E4 publish. Frozen: close() writes tail, too
  const std::uint64_t index = tail_.fetch_add(thaw ? one - frozen : one, release) / one;
  at(index).sequence.store(index + 1, release);  // E1 publish
}

template <class T>
bool ring<T>::arm_not_empty() noexcept {
  std::uint64_t word = tail_.load(relaxed);
  while (word / one == head() && (word & closed) == 0) {
    if (tail_.compare_exchange_weak(word, word | kick, relaxed, relaxed)) return true;  // I3
  }
  return false;
}

template <class T>
bool ring<T>::arm_not_full() noexcept {
  std::uint64_t word = head_.load(relaxed);
  while (tail() - word / one >= capacity_) {
    if (head_.compare_exchange_weak(word, word | kick, acquire, relaxed)) return true;  // I3, E3 observe
  }
  return false;
}

}  // namespace sluice::impl
