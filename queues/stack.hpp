#pragma once
// The flag stack: a bounded stack of cells, many putters and many getters, in one word that also carries the flags by which waiters are
// found. One compare-and-swap and one release store for each operation, as in the ring (ring.hpp).
//
//   word:  number of puts | depth | closed | frozen head | frozen tail | kick head | kick tail
//     tail: the side of the puts, head: that of the gets
//     kick tail    getters wait: the push that clears it must kick the hub; kick head: putters wait, a pop likewise
//     frozen head  getters wait: only the runner pops, newcomers must wait behind them; frozen tail: putters, likewise
//     closed       no put any more
//   cell i:  is_full   holds the item at depth i, or is free
//
// I1  depth <= the largest capacity so far. Whoever pushes makes depth d + 1 and owns cell d until it is published; whoever pops makes it d
//     and owns cell d until it is free again.
// I2  A cell is claimed only when it was seen free (push) or full (pop), by a compare-and-swap that succeeds only if nobody pushed or popped
//     since: the number of puts tells one depth from the same depth later. So nobody spins holding a claim. What was seen is not older than the
//     claim before, which saw the opposite (E4). Between a claim and the release store stand a few instructions: as in the ring, I2.
// I3  kick tail is set only while depth is 0, kick head only while it is the capacity or more.
// I4  The number of puts has 33 bits. Whoever makes its top bit change counts that in half_laps_: by it tail() is a number of 64 bits. (Wrong
//     if a thread stands still between the two while others put 2^32 items; nothing but join and unfinished would notice.)
// I5  Cells lie in chunks, each as large as all before it together, which stay where they are until the end: growing moves nothing.
// E1  push publishes the cell (release) -> pop observes it (acquire): the item.
// E2  pop frees the cell (release) -> push observes it (acquire): the item's end of life.
// E3  half_laps_ counted (release) -> tail() (acquire): no word that is older than the count.
// E4  a claim on the word (release) -> the next claim (acquire): what was seen of the cell, and of its chunk.
// E6  a chunk, then capacity (release) -> who pushes there (acquire); who pops there has it by E4: its cells.
// E5  close, or the runner before it (release) -> who finds it closed (acquire): why (queue_base.hpp), and that a slot is reserved.
// E7  the runner freezes (release) -> who finds it frozen (acquire): that it may be so though nobody waits (queue_server.hpp).
// E8  the runner lets go of the head (release) -> who pops next (acquire): that it has looked at the item there, which will go.
//
// Source: the ring's flags on an array stack; a count in the same word against ABA is Treiber's (IBM RJ 5118, 1986).

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
class stack {
 public:
  static constexpr std::uint64_t largest = (std::uint64_t{1} << 26) - 1;  // capacity
  static constexpr const char* largest_name = "2^26 - 1";
  static constexpr bool can_resize = true;

  /// Room for `capacity` items at first. Throws std::bad_alloc.
  explicit stack(std::uint64_t capacity);
  ~stack();
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;

  /// Any thread. Moves from `value` only when the result is done or done_kick.
  item_status try_push(T& value) noexcept;
  /// Any thread. `take` is called with the item, as an rvalue, at most once.
  template <class Take>
  item_status try_pop(Take&& take) noexcept;
  /// The same for as many as it can claim in one step, but not more than `max_batch`; the last of `items` will be the first to go.
  /// try_pop_many destroys what lies in `out`, while it holds cells: for a T whose destructor does nothing.
  item_batch try_push_many(T* items, std::size_t count) noexcept;
  item_batch try_pop_many(T* out, std::size_t count) noexcept;

  /// How many items were ever put.
  std::uint64_t tail() const noexcept;
  bool is_closed() const noexcept { return (word_.load(acquire) & closed) != 0; }  // E5 observe
  std::uint64_t capacity() const noexcept { return capacity_.load(acquire); }      // E6 observe
  std::size_t size() const noexcept { return depth_of(word_.load(relaxed)); }

  struct closing {
    bool first;           // it was open before
    bool owes_tail_kick;  // a getter waited
    bool owes_head_kick;  // a putter waited
  };
  /// No put is claimed any more. Any thread.
  closing close() noexcept;

  // The runner's. The side must be frozen by it, where it pushes or pops.
  void freeze_head() noexcept { word_.fetch_or(frozen_head, release); }  // E7 publish
  void freeze_tail() noexcept { word_.fetch_or(frozen_tail, release); }  // E7 publish
  void thaw_head() noexcept { word_.fetch_and(~frozen_head, release); }  // E8 publish
  void thaw_tail() noexcept { word_.fetch_and(~frozen_tail, relaxed); }
  /// Null: there is none, or the newest is being written. It need not be the one that pop_front takes: others may push.
  T* front() noexcept;
  /// Where there is one: moves the newest item to `place`, and frees its cell; `thaw`: head is thawed by the same step.
  template <class Place>
  void pop_front(Place& place, bool thaw) noexcept;
  bool is_back_free() const noexcept { return true; }  // which cell it will be is not known yet
  /// Moves from `value`. `thaw`: tail is thawed by the same step. False: closed by now, and not `even_closed`.
  bool push_back(T& value, bool thaw, bool even_closed = false) noexcept;
  /// Passes on what the runner did before to whoever finds the stack closed. False: it is closed already.
  bool confirm_open() noexcept;
  /// Sets kick tail if the stack is empty and open. False: not so.
  bool arm_not_empty() noexcept;
  /// Sets kick head if there are `most` items or more. False: not so.
  bool arm_not_full(std::uint64_t most) noexcept;
  /// Room for `capacity` items from now on. False: there is no memory, or no more than `largest`, and nothing has changed.
  [[nodiscard]] bool resize(std::uint64_t capacity) noexcept;
  /// An item goes from hand to hand without a cell. Where capacity is 0; the runner's. False: closed by now.
  bool pass_tail() noexcept;
  void pass_head() noexcept {}
  /// Destroys the items. Nobody else is there any more.
  void clear() noexcept;
  bool kick_on_tail() const noexcept { return (word_.load(relaxed) & kick_tail) != 0; }
  bool kick_on_head() const noexcept { return (word_.load(relaxed) & kick_head) != 0; }

 private:
  static constexpr std::uint64_t kick_tail = 1;
  static constexpr std::uint64_t kick_head = 2;
  static constexpr std::uint64_t frozen_tail = 4;
  static constexpr std::uint64_t frozen_head = 8;
  static constexpr std::uint64_t closed = 16;
  static constexpr std::uint64_t level = 32;  // the unit of depth
  static constexpr std::uint64_t levels = largest * level;
  // The unit of the number of puts. In a model that has 3 bits, so that it comes round.
  static constexpr std::uint64_t put_one = model_build ? std::uint64_t{1} << 61 : levels + level;
  static constexpr std::uint64_t half_lap = std::uint64_t{1} << 63;
  static constexpr std::size_t max_batch = model_build ? 2 : 128;
  static constexpr unsigned most_chunks = 27;

  struct cell {
    atomic<bool> is_full;
    alignas(T) std::byte storage[sizeof(T)];

    T* item() noexcept { return std::launder(reinterpret_cast<T*>(storage)); }
  };

  static std::uint64_t depth_of(std::uint64_t word) noexcept { return (word & levels) / level; }
  cell& at(std::uint64_t index) const noexcept;
  void add_chunk();
  void count_half_lap(std::uint64_t before, std::uint64_t after) noexcept;

  atomic<std::uint64_t> word_;          // see above; anyone
  atomic<std::uint64_t> half_laps_{0};  // I4; pushers
  apart after_word_;
  const unsigned first_bits_;          // log2 of the number of cells in the first chunk
  atomic<std::uint64_t> capacity_;     // the runner
  atomic<cell*> chunks_[most_chunks];  // the runner
  unsigned chunk_count_ = 0;           // runner-private
};

// -----------------------------------------------------------------------------------------------------------

template <class T>
stack<T>::stack(std::uint64_t capacity)
    : first_bits_(static_cast<unsigned>(std::bit_width(std::max(capacity, std::uint64_t{1}) - 1))),
      capacity_(capacity) {
  add_chunk();
}

template <class T>
void stack<T>::clear() noexcept {
  while (size() != 0) {  // an item's destructor may look at the queue: it is out by then
    cell& c = at(size() - 1);
    word_.fetch_sub(level, relaxed);
    std::destroy_at(c.item());
  }
}

template <class T>
stack<T>::~stack() {
  clear();
  for (unsigned i = 0; i < chunk_count_; ++i) delete[] chunks_[i].load(relaxed);  // nobody else is there any more
}

template <class T>
void stack<T>::add_chunk() {
  const unsigned bits = chunk_count_ == 0 ? first_bits_ : first_bits_ + chunk_count_ - 1;
  const std::uint64_t count = std::uint64_t{1} << bits;
  auto made = std::make_unique_for_overwrite<cell[]>(count);
  // relaxed: E6 hands over both
  for (std::uint64_t i = 0; i < count; ++i) made[i].is_full.store(false, relaxed);
  chunks_[chunk_count_++].store(made.release(), relaxed);
}

template <class T>
typename stack<T>::cell& stack<T>::at(std::uint64_t index) const noexcept {
  const std::uint64_t high = index >> first_bits_;
  if (high == 0) [[likely]]
    return chunks_[0].load(relaxed)[index];  // relaxed: E6, E4
  const auto chunk = static_cast<unsigned>(std::bit_width(high));
  const std::uint64_t before = std::uint64_t{1} << (first_bits_ + chunk - 1);
  return chunks_[chunk].load(relaxed)[index - before];  // relaxed: E6, E4
}

template <class T>
[[gnu::always_inline]] inline item_status stack<T>::try_push(T& value) noexcept {
  std::uint64_t word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
  short_wait emptying;
  backoff lost;
  for (;;) {
    if ((word & (frozen_tail | closed)) != 0) [[unlikely]]
      return (word & closed) != 0 ? item_status::closed : item_status::frozen;
    const std::uint64_t depth = depth_of(word);
    if (depth >= capacity()) [[unlikely]]
      return item_status::nothing;
    cell& c = at(depth);
    if (c.is_full.load(acquire)) [[unlikely]] {  // E2 observe. A getter is still moving out, or word is old.
      emptying();
      word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
      continue;
    }
    const std::uint64_t after = (word + put_one + level) & ~kick_tail;
    if (!word_.compare_exchange_strong(word, after, release, relaxed)) {  // E4 publish
      lost();
      word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
      continue;
    }
    count_half_lap(word, after);
    std::construct_at(c.item(), std::move(value));
    c.is_full.store(true, release);  // E1 publish
    return (word & kick_tail) != 0 ? item_status::done_kick : item_status::done;
  }
}

template <class T>
template <class Take>
[[gnu::always_inline]] inline item_status stack<T>::try_pop(Take&& take) noexcept {
  std::uint64_t word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
  short_wait filling;
  backoff lost;
  for (;;) {
    if ((word & frozen_head) != 0) [[unlikely]]
      return item_status::frozen;
    const std::uint64_t depth = depth_of(word);
    if (depth == 0) return (word & closed) != 0 ? item_status::closed : item_status::nothing;
    cell& c = at(depth - 1);
    if (!c.is_full.load(acquire)) [[unlikely]] {  // E1 observe. A put is about to publish it, or word is old.
      filling();
      word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
      continue;
    }
    // E4 publish, E8 observe
    if (!word_.compare_exchange_strong(word, (word - level) & ~kick_head, acq_rel, relaxed)) {
      lost();
      word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
      continue;
    }
    take(std::move(*c.item()));
    std::destroy_at(c.item());
    c.is_full.store(false, release);  // E2 publish
    return (word & kick_head) != 0 ? item_status::done_kick : item_status::done;
  }
}

template <class T>
item_batch stack<T>::try_push_many(T* items, std::size_t count) noexcept {
  std::uint64_t word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
  short_wait emptying;
  backoff lost;
  for (;;) {
    if ((word & closed) != 0) return {0, item_status::closed};
    if ((word & frozen_tail) != 0) return {0, item_status::frozen};
    const std::uint64_t depth = depth_of(word);
    const std::uint64_t most = capacity();
    if (depth >= most) return {0, item_status::nothing};
    const std::uint64_t wanted = std::min({most - depth, std::uint64_t{count}, std::uint64_t{max_batch}});
    std::uint64_t free = 0;
    while (free < wanted && !at(depth + free).is_full.load(acquire)) ++free;  // E2 observe
    if (free == 0) {
      emptying();
      word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
      continue;
    }
    const std::uint64_t after = (word + free * (put_one + level)) & ~kick_tail;
    if (!word_.compare_exchange_strong(word, after, release, relaxed)) {  // E4 publish
      lost();
      word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
      continue;
    }
    count_half_lap(word, after);
    for (std::uint64_t i = 0; i < free; ++i) {
      cell& c = at(depth + i);
      std::construct_at(c.item(), std::move(items[i]));
      c.is_full.store(true, release);  // E1 publish
    }
    return {free, (word & kick_tail) != 0 ? item_status::done_kick : item_status::done};
  }
}

template <class T>
item_batch stack<T>::try_pop_many(T* out, std::size_t count) noexcept {
  std::uint64_t word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
  short_wait filling;
  backoff lost;
  for (;;) {
    if ((word & frozen_head) != 0) return {0, item_status::frozen};
    const std::uint64_t depth = depth_of(word);
    if (depth == 0) return {0, (word & closed) != 0 ? item_status::closed : item_status::nothing};
    const std::uint64_t wanted = std::min({depth, std::uint64_t{count}, std::uint64_t{max_batch}});
    std::uint64_t there = 0;
    while (there < wanted && at(depth - 1 - there).is_full.load(acquire)) ++there;  // E1 observe
    if (there == 0) {
      filling();
      word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
      continue;
    }
    // E4 publish, E8 observe
    if (!word_.compare_exchange_strong(word, (word - there * level) & ~kick_head, acq_rel, relaxed)) {
      lost();
      word = word_.load(acquire);  // E4 observe, E5 observe, E7 observe, E8 observe
      continue;
    }
    for (std::uint64_t i = 0; i < there; ++i) {
      cell& c = at(depth - 1 - i);
      replace(out[i], std::move(*c.item()));
      std::destroy_at(c.item());
      c.is_full.store(false, release);  // E2 publish
    }
    return {there, (word & kick_head) != 0 ? item_status::done_kick : item_status::done};
  }
}

template <class T>
void stack<T>::count_half_lap(std::uint64_t before, std::uint64_t after) noexcept {
  if (((before ^ after) & half_lap) != 0) [[unlikely]]
    half_laps_.fetch_add(1, release);  // E3 publish
}

template <class T>
std::uint64_t stack<T>::tail() const noexcept {
  std::uint64_t laps = half_laps_.load(acquire);  // E3 observe: word_ is as new as that, or newer
  const std::uint64_t word = word_.load(relaxed);
  laps += ((word & half_lap) != 0) != (laps % 2 != 0);  // somebody is about to count it
  return laps * (half_lap / put_one) + (word & ~half_lap) / put_one;
}

template <class T>
typename stack<T>::closing stack<T>::close() noexcept {
  std::uint64_t word = word_.load(relaxed);
  do {
    if ((word & closed) != 0) return {false, false, false};
  } while (
      !word_.compare_exchange_weak(word, (word | closed) & ~(kick_tail | kick_head), release, relaxed));  // E5 publish
  return {true, (word & kick_tail) != 0, (word & kick_head) != 0};
}

template <class T>
T* stack<T>::front() noexcept {
  const std::uint64_t depth = depth_of(word_.load(acquire));  // E4 observe
  if (depth == 0) return nullptr;
  cell& c = at(depth - 1);
  return c.is_full.load(acquire) ? c.item() : nullptr;  // E1 observe
}

template <class T>
template <class Place>
void stack<T>::pop_front(Place& place, bool thaw) noexcept {
  short_wait filling;
  for (;; filling()) {  // frozen: nobody else pops, but others push; so there is one, and which it is may change
    std::uint64_t word = word_.load(acquire);  // E4 observe
    cell& c = at(depth_of(word) - 1);
    if (!c.is_full.load(acquire)) continue;  // E1 observe
    const std::uint64_t less = thaw ? level + frozen_head : level;
    if (!word_.compare_exchange_strong(word, word - less, release, relaxed)) continue;  // E4 publish
    place.emplace(std::move(*c.item()));
    std::destroy_at(c.item());
    c.is_full.store(false, release);  // E2 publish
    return;
  }
}

template <class T>
bool stack<T>::push_back(T& value, bool thaw, bool even_closed) noexcept {
  short_wait emptying;
  for (;; emptying()) {                        // frozen: nobody else pushes, but others pop, and close
    std::uint64_t word = word_.load(acquire);  // E4 observe, E5 observe
    if ((word & closed) != 0 && !even_closed) return false;
    cell& c = at(depth_of(word));
    if (c.is_full.load(acquire)) continue;  // E2 observe
    const std::uint64_t after = word + put_one + level - (thaw ? frozen_tail : 0);
    if (!word_.compare_exchange_strong(word, after, release, relaxed)) continue;  // E4 publish
    count_half_lap(word, after);
    std::construct_at(c.item(), std::move(value));
    c.is_full.store(true, release);  // E1 publish
    return true;
  }
}

template <class T>
bool stack<T>::arm_not_empty() noexcept {
  std::uint64_t word = word_.load(relaxed);
  while (depth_of(word) == 0 && (word & closed) == 0) {
    if (word_.compare_exchange_weak(word, word | kick_tail, relaxed, relaxed)) return true;  // I3
  }
  return false;
}

template <class T>
bool stack<T>::arm_not_full(std::uint64_t most) noexcept {
  std::uint64_t word = word_.load(relaxed);
  while (depth_of(word) >= most) {
    if (word_.compare_exchange_weak(word, word | kick_head, relaxed, relaxed)) return true;  // I3
  }
  return false;
}

template <class T>
bool stack<T>::resize(std::uint64_t capacity) noexcept {
  if (capacity > largest) return false;
  try {
    while (capacity > std::uint64_t{1} << (first_bits_ + chunk_count_ - 1)) add_chunk();
  } catch (const std::bad_alloc&) {
    return false;
  }
  capacity_.store(capacity, release);  // E6 publish
  return true;
}

template <class T>
bool stack<T>::confirm_open() noexcept {
  std::uint64_t word = word_.load(acquire);  // E5 observe
  do {
    if ((word & closed) != 0) return false;
  } while (!word_.compare_exchange_weak(word, word, release, acquire));  // E5 publish, E5 observe
  return true;
}

template <class T>
bool stack<T>::pass_tail() noexcept {
  std::uint64_t word = word_.load(acquire);  // E5 observe
  do {
    if ((word & closed) != 0) return false;
  } while (!word_.compare_exchange_weak(word, word + put_one, acquire, acquire));  // E5 observe
  count_half_lap(word, word + put_one);
  return true;
}

}  // namespace sluice::impl
