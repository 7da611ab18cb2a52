#pragma once
// The flag ring: a bounded ring of cells, many putters and many getters, whose two index words also carry
// the flags by which waiters are found. One compare-and-swap and one release store for each operation.
//
//   tail:  index of the next put  | array | closed | frozen | kick     written by putters, runner, close
//   head:  index of the next get  | array |          frozen | kick     written by getters, runner
//     kick    waiters on the other side: the operation that advances this word must kick the hub (its CAS clears it)
//     frozen  waiters on this side: only the runner advances the word; newcomers must wait behind them
//     closed  no put any more
//     array   log2 of the number of cells in use; or moving: the runner moves the items to a larger array, and frozen is set meanwhile
//   cell.sequence:  i  free for put i     i+1  holds item i     i+N  free for the next lap    (N cells, a power of two)
//
// I1  head <= tail <= head + the largest capacity so far. Admission compares with a past head (`head_seen_`), which is never too big.
//     A put that is on its way while the capacity shrinks may still claim by the old one.
// I2  A cell is claimed only when it was seen free (put) or published (get): nobody spins holding a claim. Between the claim
//     and the cell's release store stand a few instructions; a thread preempted there delays this cell and, for a put, the
//     queue's head: no mutex, no spinlock, yet not formally lock-free.
// I3  kick is set on tail only by a CAS that proves "empty": tail's index equals head's while head is frozen. On head likewise: "full".
// I4  The array only grows. Both words name it, so a claim that meant an older one fails; so does one that was looked at while
//     items moved. Older arrays stay until the end: those who had claimed a cell there are still taking its item, and others may look.
// I5  A hint is what its word was after some claim, without frozen and closed. Where claims follow each other on one processor they begin
//     with it, because a load of the word would wait for the compare-and-swap before it. An old hint costs a look at a cell or
//     a failed compare-and-swap, which proves it old; "full" and "empty" are proved as by any past value of the word. What claims several
//     at a time, and the runner, leave no hint.
// E1  put publishes the cell (release) -> get observes it (acquire): the item.
// E2  get frees the cell (release) -> put of the next lap observes it (acquire): the item's end of life.
// E6  the runner installs an array, cells before mask (release) -> who claims in it (acquire, mask before cells): its cells, and
//     no mask that is too big for them. It lets go of the words after that (release) -> who reads them (acquire).
// E3  close sets closed on tail, then clears kick on head (release) -> the runner sets kick on head (acquire), then looks at
//     closed: either close sees the kick, and kicks, or the runner sees closed.
// E4  who advances tail (release) -> who compares with that tail (acquire): no older head than the advancing side knew, so "full" is
//     true at some moment.
// E5  who advances head (release) -> who compares with that head (acquire): no older tail, so "empty" is, and tail - head is never
//     negative.
// E7  close, or the runner before it (release) -> who finds it closed (acquire): why (queue_base.hpp), and that a slot is reserved.
// E8  the runner freezes (release) -> who finds it frozen (acquire): that it may be so though nobody waits (queue_server.hpp).
// E9  the runner lets go of head (release) -> who gets next (acquire): that it has looked at the item there, which will go.
// E10 who has claimed leaves the word as a hint (release) -> who begins with the hint (acquire): what E4 to E6 would give it with the word.
// Otherwise the index words hand over nothing (relaxed): items travel by the cells, waiting by the hub's inbox.
//
// Source: D. Vyukov's bounded MPMC queue; the flags are ours (queues/README.md). N is at least 2: with one cell, "holds item i"
// and "free for the next lap" would be the same number.

#include <sluice/queues/apart.hpp>
#include <sluice/queues/atomic.hpp>
#include <sluice/queues/item_store.hpp>
#include <sluice/queues/short_wait.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace sluice::impl {

template <class T>
class ring {
 public:
  static constexpr std::uint64_t largest = std::uint64_t{1} << 40;  // capacity
  static constexpr const char* largest_name = "2^40";
  static constexpr bool can_resize = true;

  static constexpr std::uint64_t kick = 1;
  static constexpr std::uint64_t frozen = 2;
  static constexpr std::uint64_t closed = 4;
  static constexpr std::uint64_t array = 8;  // the unit of that field
  static constexpr std::uint64_t moving = 63 * array;
  static constexpr std::uint64_t one = 64 * array;

  /// Room for `capacity` items at first. Throws std::bad_alloc.
  explicit ring(std::uint64_t capacity);
  ~ring() { clear(); }
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;

  /// Any thread. Moves from `value` only when the result is done or done_kick.
  item_status try_push(T& value) noexcept;
  /// Any thread. `take` is called with the item, as an rvalue, at most once.
  template <class Take>
  item_status try_pop(Take&& take) noexcept;
  /// The same for as many as it can claim in one step, but not more than `max_batch`. Moves from items[0], items[1] and so on. try_pop_many
  /// destroys what lies in `out`, while it holds cells: for a T whose destructor does nothing.
  item_batch try_push_many(T* items, std::size_t count) noexcept;
  item_batch try_pop_many(T* out, std::size_t count) noexcept;

  std::uint64_t head() const noexcept { return head_.load(acquire) / one; }  // E5 observe
  std::uint64_t tail() const noexcept { return tail_.load(relaxed) / one; }
  bool is_closed() const noexcept { return (tail_.load(acquire) & closed) != 0; }  // E7 observe
  std::uint64_t capacity() const noexcept { return capacity_.load(relaxed); }      // relaxed: it hands over nothing
  std::size_t size() const noexcept;

  struct closing {
    bool first;           // it was open before
    bool owes_tail_kick;  // a getter waited
    bool owes_head_kick;  // a putter waited
  };
  /// No put is claimed any more. Any thread.
  closing close() noexcept;

  // The runner's. The word must be frozen by it, where it advances the word.
  // It sees the close that came before the last get.
  void freeze_head() noexcept { head_.fetch_or(frozen, acq_rel); }  // E5 observe, E8 publish
  void freeze_tail() noexcept { tail_.fetch_or(frozen, release); }  // E8 publish
  void thaw_head() noexcept { head_.fetch_and(~frozen, release); }  // E9 publish
  void thaw_tail() noexcept { tail_.fetch_and(~frozen, relaxed); }
  /// The item that is the next to go, or null while it is absent or being written.
  T* front() noexcept;
  /// Where there is one: moves it to `place`, and frees its cell; `thaw`: head is thawed by the same step.
  template <class Place>
  void pop_front(Place& place, bool thaw) noexcept;
  /// Whether the cell of the next item is free, and not still being emptied.
  bool is_back_free() noexcept;
  /// Where that is so: moves from `value`. `thaw`: tail is thawed by the same step. False: closed by now, and not `even_closed`.
  bool push_back(T& value, bool thaw, bool even_closed = false) noexcept;
  /// Passes on what the runner did before to whoever finds the ring closed. False: it is closed already.
  bool confirm_open() noexcept;
  /// Sets kick on tail if the ring is empty (head frozen) and open. False: not so.
  bool arm_not_empty() noexcept;
  /// Sets kick on head if there are `most` items or more (tail frozen). False: not so.
  bool arm_not_full(std::uint64_t most) noexcept;
  /// Room for `capacity` items from now on. False: there is no memory, and nothing has changed.
  [[nodiscard]] bool resize(std::uint64_t capacity) noexcept;
  /// An item that goes from hand to hand without a cell counts as put before it goes, unless the ring is closed by now (false), and as got
  /// afterwards. Where capacity is 0; the runner's.
  bool pass_tail() noexcept;
  void pass_head() noexcept { head_.fetch_add(one, release); }  // E5 publish
  /// Destroys the items. Nobody else is there any more.
  void clear() noexcept;
  bool kick_on_tail() const noexcept { return (tail_.load(relaxed) & kick) != 0; }
  bool kick_on_head() const noexcept { return (head_.load(relaxed) & kick) != 0; }

 private:
  struct cell {
    atomic<std::uint64_t> sequence;  // see above
    alignas(T) std::byte storage[sizeof(T)];

    T* item() noexcept { return std::launder(reinterpret_cast<T*>(storage)); }
  };

  /// The cells in use, as one reads them who has read a word before.
  struct lap {
    cell* cells;
    std::uint64_t mask;
    cell& at(std::uint64_t index) const noexcept { return cells[index & mask]; }
  };
  struct owned_cells {
    std::unique_ptr<cell[]> cells;
    std::unique_ptr<owned_cells> older;
  };

  /// Whether it is long enough for many claims in a row.
  bool has_hints() const noexcept {
    return mask_.load(relaxed) >= hinted_from - 1;
  }  // relaxed: one way is as good as the other
  static bool is_moving(std::uint64_t word) noexcept { return (word & moving) == moving; }
  lap now() const noexcept {
    const std::uint64_t mask = mask_.load(acquire);  // E6 observe
    return {cells_.load(acquire), mask};             // E6 observe
  }
  lap own() const noexcept {  // the runner's
    return {cells_.load(relaxed), mask_.load(relaxed)};
  }
  static std::uint64_t array_of(std::uint64_t mask) noexcept {
    return static_cast<std::uint64_t>(std::bit_width(mask)) * array;
  }
  static std::unique_ptr<owned_cells> make_cells(std::uint64_t count);
  bool full(std::uint64_t tail_index) noexcept;
  bool claim_back(std::uint64_t word) noexcept;
  bool claim_front(std::uint64_t word) noexcept;
  static item_status fill(cell& c, std::uint64_t word, T& value) noexcept;
  template <class Take>
  static item_status empty(const lap& here, std::uint64_t word, Take& take) noexcept;
  /// Whether a claim of cell `tried` failed because others advanced the word, and not because of a flag.
  static bool has_lost(std::uint64_t tried, std::uint64_t word) noexcept {
    return tried != nothing_tried && tried != word / one;
  }
  item_status push_again(T& value, std::uint64_t tried) noexcept;
  template <class Take>
  item_status pop_again(Take& take, std::uint64_t tried) noexcept;
  std::uint64_t room(std::uint64_t tail_index) noexcept;
  std::uint64_t see_head() noexcept;
  void move_to(const lap& next, std::uint64_t first, std::uint64_t last) noexcept;
  bool grow(std::uint64_t count) noexcept;

  static constexpr std::size_t max_batch = model_build ? 2 : 128;
  static constexpr std::uint64_t nothing_tried = ~std::uint64_t{0};
  static constexpr std::uint64_t hinted_from = model_build ? 4 : 32;  // cells

  atomic<std::uint64_t> tail_;          // see above
  atomic<std::uint64_t> head_seen_{0};  // some past index of head; putters, relaxed: never too big
  apart after_tail_;
  atomic<std::uint64_t> head_;  // see above
  apart after_head_;
  atomic<std::uint64_t> tail_hint_;  // I5; who claims
  apart after_tail_hint_;
  atomic<std::uint64_t> head_hint_;  // I5; who claims
  apart after_head_hint_;
  atomic<cell*> cells_;               // the array in use; the runner
  atomic<std::uint64_t> mask_;        // its size - 1; the runner
  atomic<std::uint64_t> capacity_;    // the runner; relaxed: see I1
  std::unique_ptr<owned_cells> all_;  // runner-private: the newest array first
};

// -----------------------------------------------------------------------------------------------------------

template <class T>
ring<T>::ring(std::uint64_t capacity) : capacity_(capacity), all_(make_cells(capacity)) {
  const std::uint64_t mask = std::bit_ceil(capacity < 2 ? std::uint64_t{2} : capacity) - 1;
  // Not shared yet.
  cells_.store(all_->cells.get(), relaxed);
  mask_.store(mask, relaxed);
  for (std::uint64_t i = 0; i <= mask; ++i) own().at(i).sequence.store(i, relaxed);
  for (auto* word : {&tail_, &head_, &tail_hint_, &head_hint_}) word->store(array_of(mask), relaxed);
}

template <class T>
void ring<T>::clear() noexcept {
  while (head() != tail()) {  // an item's destructor may look at the queue: it is out by then
    cell& c = own().at(head());
    head_.fetch_add(one, relaxed);
    std::destroy_at(c.item());
  }
}

template <class T>
std::unique_ptr<typename ring<T>::owned_cells> ring<T>::make_cells(std::uint64_t count) {
  auto made = std::make_unique<owned_cells>();
  made->cells = std::make_unique_for_overwrite<cell[]>(std::bit_ceil(count < 2 ? std::uint64_t{2} : count));
  return made;
}

template <class T>
[[gnu::always_inline]] inline item_status ring<T>::try_push(T& value) noexcept {
  // E4 observe, E6 observe, E7 observe, E8 observe, E10 observe
  const std::uint64_t word = has_hints() ? tail_hint_.load(acquire) : tail_.load(acquire);
  const std::uint64_t index = word / one;
  std::uint64_t tried = nothing_tried;
  if ((word & (frozen | closed)) == 0 && !full(index)) [[likely]] {
    cell& c = now().at(index);
    if (c.sequence.load(acquire) == index) [[likely]] {  // E2 observe
      if (claim_back(word)) [[likely]]
        return fill(c, word, value);
      tried = index;
    }
  }
  return push_again(value, tried);
}

// Claims the cell that `word` names for a put, where tail is still that.
template <class T>
[[gnu::always_inline]] inline bool ring<T>::claim_back(std::uint64_t word) noexcept {
  const std::uint64_t next = (word + one) & ~kick;
  if (!tail_.compare_exchange_strong(word, next, release, relaxed)) return false;  // E4 publish
  if (has_hints()) tail_hint_.store(next, release);                                // E10 publish
  return true;
}

template <class T>
[[gnu::always_inline]] inline item_status ring<T>::fill(cell& c, std::uint64_t word, T& value) noexcept {
  std::construct_at(c.item(), std::move(value));
  c.sequence.store(word / one + 1, release);  // E1 publish
  return (word & kick) != 0 ? item_status::done_kick : item_status::done;
}

// What the first look did not end, which may have tried to claim a cell. Apart, so that the first look is a few instructions.
template <class T>
[[gnu::noinline]] item_status ring<T>::push_again(T& value, std::uint64_t tried) noexcept {
  short_wait emptying;
  backoff lost;
  for (;;) {
    const std::uint64_t word = tail_.load(acquire);  // E4 observe, E6 observe, E7 observe, E8 observe
    if (has_lost(std::exchange(tried, nothing_tried), word)) {
      lost();
      continue;
    }
    if ((word & closed) != 0) return item_status::closed;
    if ((word & frozen) != 0) {
      if (!is_moving(word)) return item_status::frozen;
      emptying();
      continue;
    }
    if (full(word / one)) {
      if (tail_.load(acquire) == word) return item_status::nothing;  // E4 observe
      continue;
    }
    const std::uint64_t index = word / one;
    cell& c = now().at(index);
    if (c.sequence.load(acquire) != index) {  // E2 observe. A getter is still moving out, or word is old.
      emptying();
      continue;
    }
    if (claim_back(word)) return fill(c, word, value);
    tried = index;
  }
}

template <class T>
template <class Take>
[[gnu::always_inline]] inline item_status ring<T>::try_pop(Take&& take) noexcept {
  // E5 observe, E6 observe, E8 observe, E9 observe, E10 observe
  const std::uint64_t word = has_hints() ? head_hint_.load(acquire) : head_.load(acquire);
  const std::uint64_t index = word / one;
  std::uint64_t tried = nothing_tried;
  if ((word & frozen) == 0) [[likely]] {
    const lap here = now();
    if (here.at(index).sequence.load(acquire) == index + 1) [[likely]] {  // E1 observe
      if (claim_front(word)) [[likely]]
        return empty(here, word, take);
      tried = index;
    }
  }
  return pop_again(take, tried);
}

// Claims the item that `word` names for a get, where head is still that.
template <class T>
[[gnu::always_inline]] inline bool ring<T>::claim_front(std::uint64_t word) noexcept {
  const std::uint64_t next = (word + one) & ~kick;
  if (!head_.compare_exchange_strong(word, next, acq_rel, relaxed)) return false;  // E5 publish, E9 observe
  if (has_hints()) head_hint_.store(next, release);                                // E10 publish
  return true;
}

template <class T>
template <class Take>
[[gnu::always_inline]] inline item_status ring<T>::empty(const lap& here, std::uint64_t word, Take& take) noexcept {
  cell& c = here.at(word / one);
  take(std::move(*c.item()));
  std::destroy_at(c.item());
  c.sequence.store(word / one + here.mask + 1, release);  // E2 publish
  return (word & kick) != 0 ? item_status::done_kick : item_status::done;
}

// What is not over at the first look.
template <class T>
template <class Take>
[[gnu::noinline]] item_status ring<T>::pop_again(Take& take, std::uint64_t tried) noexcept {
  short_wait filling;
  backoff lost;
  for (;;) {
    const std::uint64_t word = head_.load(acquire);  // E5 observe, E6 observe, E8 observe, E9 observe
    if (has_lost(std::exchange(tried, nothing_tried), word)) {
      lost();
      continue;
    }
    if ((word & frozen) != 0) {
      if (!is_moving(word)) return item_status::frozen;
      filling();
      continue;
    }
    const std::uint64_t index = word / one;
    const lap here = now();
    if (here.at(index).sequence.load(acquire) == index + 1) {  // E1 observe
      if (claim_front(word)) return empty(here, word, take);
      tried = index;
      continue;
    }
    // tail == index proves "empty" at this moment, however old `word` is: head lies between the two.
    const std::uint64_t other = tail_.load(acquire);  // E7 observe
    if (other / one == index) return (other & closed) != 0 ? item_status::closed : item_status::nothing;
    filling();  // a put has claimed the cell and is about to publish it, or `word` is old
  }
}

template <class T>
item_batch ring<T>::try_push_many(T* items, std::size_t count) noexcept {
  std::uint64_t word = tail_.load(acquire);  // E4 observe, E6 observe, E7 observe, E8 observe
  short_wait emptying;
  backoff lost;
  for (;;) {
    if ((word & closed) != 0) return {0, item_status::closed};
    if ((word & frozen) != 0 && !is_moving(word)) return {0, item_status::frozen};
    const std::uint64_t index = word / one;
    const lap here = now();
    const std::uint64_t most = std::min({room(index), std::uint64_t{count}, std::uint64_t{max_batch}});
    const std::uint64_t wanted = is_moving(word) ? 0 : most;
    std::uint64_t free = 0;
    while (free < wanted && here.at(index + free).sequence.load(acquire) == index + free) ++free;  // E2 observe
    if (free == 0) {
      const std::uint64_t again = tail_.load(acquire);  // E4 observe, E6 observe, E7 observe, E8 observe
      if (most == 0 && again == word && !is_moving(word)) return {0, item_status::nothing};
      if (most != 0 || is_moving(word)) emptying();
      word = again;
      continue;
    }
    // E4 publish
    if (!tail_.compare_exchange_strong(word, (word + free * one) & ~kick, release, relaxed)) {
      lost();
      word = tail_.load(acquire);  // E4 observe, E6 observe, E7 observe, E8 observe
      continue;
    }
    for (std::uint64_t i = 0; i < free; ++i) {
      cell& c = here.at(index + i);
      std::construct_at(c.item(), std::move(items[i]));
      c.sequence.store(index + i + 1, release);  // E1 publish
    }
    return {free, (word & kick) != 0 ? item_status::done_kick : item_status::done};
  }
}

template <class T>
item_batch ring<T>::try_pop_many(T* out, std::size_t count) noexcept {
  std::uint64_t word = head_.load(acquire);  // E5 observe, E6 observe, E8 observe, E9 observe
  short_wait filling;
  backoff lost;
  for (;;) {
    if ((word & frozen) != 0 && !is_moving(word)) return {0, item_status::frozen};
    const std::uint64_t index = word / one;
    const lap here = now();
    const std::uint64_t wanted = is_moving(word) ? 0 : std::min(count, max_batch);
    std::uint64_t there = 0;
    while (there < wanted && here.at(index + there).sequence.load(acquire) == index + there + 1) ++there;  // E1 observe
    if (there == 0) {
      const std::uint64_t other = tail_.load(acquire);  // E7 observe. As in try_pop
      if (other / one == index) return {0, (other & closed) != 0 ? item_status::closed : item_status::nothing};
      filling();
      word = head_.load(acquire);  // E5 observe, E6 observe, E8 observe, E9 observe
      continue;
    }
    // E5 publish, E9 observe
    if (!head_.compare_exchange_strong(word, (word + there * one) & ~kick, acq_rel, relaxed)) {
      lost();
      word = head_.load(acquire);  // E5 observe, E6 observe, E8 observe, E9 observe
      continue;
    }
    for (std::uint64_t i = 0; i < there; ++i) {
      cell& c = here.at(index + i);
      replace(out[i], std::move(*c.item()));
      std::destroy_at(c.item());
      c.sequence.store(index + i + here.mask + 1, release);  // E2 publish
    }
    return {there, (word & kick) != 0 ? item_status::done_kick : item_status::done};
  }
}

template <class T>
typename ring<T>::closing ring<T>::close() noexcept {
  std::uint64_t word = tail_.load(relaxed);
  do {
    if ((word & closed) != 0) return {false, false, false};
  } while (!tail_.compare_exchange_weak(word, (word | closed) & ~kick, release, relaxed));  // E7 publish
  const std::uint64_t before = head_.fetch_and(~kick, release);  // E3 publish
  return {true, (word & kick) != 0, (before & kick) != 0};
}

template <class T>
std::size_t ring<T>::size() const noexcept {
  for (std::uint64_t first = head();;) {
    const std::uint64_t last = tail_.load(acquire) / one;  // E4 observe: the second look at head comes after it
    const std::uint64_t again = head();
    if (again == first) return last - first;  // both were true when tail was read; head was read first: last >= first
    first = again;
  }
}

// Whether put `tail_index` has no room: against a past head, and against the present one before it says so.
template <class T>
bool ring<T>::full(std::uint64_t tail_index) noexcept {
  return tail_index - head_seen_.load(relaxed) >= capacity() && tail_index - see_head() >= capacity();
}

// The same of several: for how many there is room.
template <class T>
std::uint64_t ring<T>::room(std::uint64_t tail_index) noexcept {
  const std::uint64_t most = capacity();
  std::uint64_t used = tail_index - head_seen_.load(relaxed);
  if (used >= most) used = tail_index - see_head();
  return used < most ? most - used : 0;
}

template <class T>
std::uint64_t ring<T>::see_head() noexcept {
  const std::uint64_t present = head();
  head_seen_.store(present, relaxed);
  return present;
}

template <class T>
T* ring<T>::front() noexcept {
  const std::uint64_t index = head();
  cell& c = own().at(index);
  return c.sequence.load(acquire) == index + 1 ? c.item() : nullptr;  // E1 observe
}

template <class T>
template <class Place>
void ring<T>::pop_front(Place& place, bool thaw) noexcept {
  const std::uint64_t word = head_.load(relaxed);
  const lap here = own();
  cell& c = here.at(word / one);
  place.emplace(std::move(*c.item()));
  std::destroy_at(c.item());
  // E5 publish. Frozen: nobody else moves the index, but close() may clear the kick
  head_.fetch_add(thaw ? one - frozen : one, release);
  c.sequence.store(word / one + here.mask + 1, release);  // E2 publish
}

template <class T>
bool ring<T>::is_back_free() noexcept {
  const std::uint64_t index = tail();
  return own().at(index).sequence.load(acquire) == index;  // E2 observe
}

template <class T>
bool ring<T>::push_back(T& value, bool thaw, bool even_closed) noexcept {
  std::uint64_t word = tail_.load(acquire);  // E7 observe
  do {  // frozen: nobody else moves the index, but close() writes tail, too: nothing gets in behind it
    if ((word & closed) != 0 && !even_closed) return false;
    // E4 publish, E7 observe
  } while (!tail_.compare_exchange_weak(word, word + (thaw ? one - frozen : one), release, acquire));
  cell& c = own().at(word / one);
  std::construct_at(c.item(), std::move(value));
  c.sequence.store(word / one + 1, release);  // E1 publish
  return true;
}

template <class T>
bool ring<T>::confirm_open() noexcept {
  std::uint64_t word = tail_.load(acquire);  // E7 observe
  do {
    if ((word & closed) != 0) return false;
  } while (!tail_.compare_exchange_weak(word, word, release, acquire));  // E7 publish, E7 observe
  return true;
}

template <class T>
bool ring<T>::pass_tail() noexcept {
  std::uint64_t word = tail_.load(acquire);  // E7 observe
  do {
    if ((word & closed) != 0) return false;
  } while (!tail_.compare_exchange_weak(word, word + one, release, acquire));  // E4 publish, E7 observe
  return true;
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
bool ring<T>::arm_not_full(std::uint64_t most) noexcept {
  std::uint64_t word = head_.load(relaxed);
  while (tail() - word / one >= most) {
    if (head_.compare_exchange_weak(word, word | kick, acquire, relaxed)) return true;  // I3, E3 observe
  }
  return false;
}

template <class T>
bool ring<T>::resize(std::uint64_t capacity) noexcept {
  if (capacity > own().mask + 1 && !grow(std::bit_ceil(capacity))) return false;
  capacity_.store(capacity, relaxed);
  return true;
}

// Holds off everybody, moves the items to an array of `count` cells, and lets go again.
template <class T>
bool ring<T>::grow(std::uint64_t count) noexcept {
  std::unique_ptr<owned_cells> made;
  try {
    made = make_cells(count);
  } catch (const std::bad_alloc&) {
    return false;
  }
  const std::uint64_t tail_before = tail_.fetch_or(moving | frozen, relaxed);
  const std::uint64_t head_before = head_.fetch_or(moving | frozen, relaxed);
  const lap next{made->cells.get(), count - 1};
  move_to(next, head_before / one, tail_before / one);
  made->older = std::move(all_);
  all_ = std::move(made);
  cells_.store(next.cells, release);  // E6 publish
  mask_.store(next.mask, release);    // E6 publish
  const std::uint64_t held = moving - array_of(next.mask);
  tail_.fetch_sub(held + (~tail_before & frozen), release);  // E6 publish
  head_.fetch_sub(held + (~head_before & frozen), release);  // E6 publish
  return true;
}

// The items from `first` to before `last`, which nobody else claims, once they are all published.
template <class T>
void ring<T>::move_to(const lap& next, std::uint64_t first, std::uint64_t last) noexcept {
  short_wait filling;
  for (std::uint64_t i = first; i != last; ++i) {
    cell& from = own().at(i);
    while (from.sequence.load(acquire) != i + 1) filling();  // E1 observe
    std::construct_at(next.at(i).item(), std::move(*from.item()));
    std::destroy_at(from.item());
    next.at(i).sequence.store(i + 1, relaxed);  // E6 hands it over
  }
  for (std::uint64_t i = last; i != first + next.mask + 1; ++i) next.at(i).sequence.store(i, relaxed);  // likewise
}

}  // namespace sluice::impl
