#pragma once
// The store of a queue with one putter and one getter at a time: a ring whose cells carry nothing but items. One read-modify-write for each
// operation, as in ring.hpp, for the flags by which waiters are found; but what the sides know of each other they remember, so an index word
// goes to the other core once for many items, and a cell once for an item.
//
//   tail, head:  index | closed | frozen | kick    as in ring.hpp; a fixed array
//
// I1  The putter fills cell tail before it advances tail; the getter empties cell head before it advances head. So there is no claim, and nobody
//     waits for another's few instructions.
// I2  The putter's cell is its own until tail has gone on: a close that comes first makes the advance fail, and it takes the item back.
// I3  Head is advanced by the getter, or by the runner while the getter waits: nobody makes that advance fail for good.
// I4  head_known_ is some past head, the putter's; tail_known_ some past tail, the getter's.
// E1  the putter, or the runner for it, advances tail (release) -> the getter, or the runner for it, reads tail (acquire): the item.
// E2  the getter, or the runner for it, advances head (release) -> the putter, or the runner for it, reads head (acquire): the item's end of life.
// E3  close, kick and frozen hand over what they do in ring.hpp: E3, E7 and E8 there.
//
// Source: Lamport's ring (1977) with the remembered indices of FastForward and MCRingBuffer (Lee and others, IPDPS 2010).

#include <sluice/queues/apart.hpp>
#include <sluice/queues/atomic.hpp>
#include <sluice/queues/item_store.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace sluice::impl {

template <class T>
class spsc_ring {
 public:
  static constexpr std::uint64_t largest = std::uint64_t{1} << 40;  // capacity
  static constexpr const char* largest_name = "2^40";
  static constexpr bool can_resize = false;

  /// Room for `capacity` items. Throws std::bad_alloc.
  explicit spsc_ring(std::uint64_t capacity);
  ~spsc_ring() { clear(); }
  spsc_ring(const spsc_ring&) = delete;
  spsc_ring& operator=(const spsc_ring&) = delete;

  /// The putter's. Moves from `value` only when the result is done or done_kick.
  item_status try_push(T& value) noexcept;
  /// The getter's. `take` is called with the item, as an rvalue, at most once.
  template <class Take>
  item_status try_pop(Take&& take) noexcept;
  /// The same for as many as there is room for, or as there are.
  item_batch try_push_many(T* items, std::size_t count) noexcept;
  item_batch try_pop_many(T* out, std::size_t count) noexcept;

  std::uint64_t tail() const noexcept { return tail_.load(acquire) / one; }        // E1 observe
  bool is_closed() const noexcept { return (tail_.load(acquire) & closed) != 0; }  // E3 observe
  std::uint64_t capacity() const noexcept { return capacity_; }
  std::size_t size() const noexcept;

  struct closing {
    bool first;           // it was open before
    bool owes_tail_kick;  // the getter waited
    bool owes_head_kick;  // the putter waited
  };
  /// No put gets in any more. Any thread.
  closing close() noexcept;

  // The runner's, as in ring.hpp.
  void freeze_head() noexcept { head_.fetch_or(frozen, release); }  // E3 publish
  void freeze_tail() noexcept { tail_.fetch_or(frozen, release); }  // E3 publish
  void thaw_head() noexcept { head_.fetch_and(~frozen, relaxed); }
  void thaw_tail() noexcept { tail_.fetch_and(~frozen, relaxed); }
  T* front() noexcept;
  template <class Place>
  void pop_front(Place& place, bool thaw) noexcept;
  bool is_back_free() const noexcept { return true; }
  bool push_back(T& value, bool thaw, bool even_closed = false) noexcept;
  bool confirm_open() noexcept;
  bool arm_not_empty() noexcept;
  bool arm_not_full(std::uint64_t most) noexcept;
  [[nodiscard]] bool resize(std::uint64_t) noexcept { return false; }
  bool pass_tail() noexcept { return false; }
  void pass_head() noexcept {}
  void clear() noexcept;
  bool kick_on_tail() const noexcept { return (tail_.load(relaxed) & kick) != 0; }
  bool kick_on_head() const noexcept { return (head_.load(relaxed) & kick) != 0; }

 private:
  static constexpr std::uint64_t kick = 1;
  static constexpr std::uint64_t frozen = 2;
  static constexpr std::uint64_t closed = 4;
  static constexpr std::uint64_t one = 8;

  struct cell {
    alignas(T) std::byte storage[sizeof(T)];
    T* item() noexcept { return std::launder(reinterpret_cast<T*>(storage)); }
  };

  T* at(std::uint64_t index) const noexcept { return cells_[index & mask_].item(); }
  std::uint64_t head() const noexcept { return head_.load(acquire) / one; }  // E2 observe
  std::uint64_t room(std::uint64_t index) noexcept;
  std::uint64_t there(std::uint64_t index) noexcept;
  static item_status refused(std::uint64_t word) noexcept {
    return (word & closed) != 0 ? item_status::closed : item_status::frozen;
  }
  static item_status result(std::uint64_t word) noexcept {
    return (word & kick) != 0 ? item_status::done_kick : item_status::done;
  }
  bool advance_tail(std::uint64_t& word, std::uint64_t count) noexcept;
  void advance_head(std::uint64_t& word, std::uint64_t count) noexcept;

  atomic<std::uint64_t> tail_{0};       // see above
  plain<std::uint64_t> head_known_{0};  // the putter's
  apart after_tail_;
  atomic<std::uint64_t> head_{0};       // see above
  plain<std::uint64_t> tail_known_{0};  // the getter's
  apart after_head_;
  const std::uint64_t capacity_;
  const std::uint64_t mask_;
  const std::unique_ptr<cell[]> cells_;
};

// -----------------------------------------------------------------------------------------------------------

template <class T>
spsc_ring<T>::spsc_ring(std::uint64_t capacity)
    : capacity_(capacity),
      mask_(std::bit_ceil(std::max(capacity, std::uint64_t{1})) - 1),
      cells_(std::make_unique_for_overwrite<cell[]>(mask_ + 1)) {}

template <class T>
void spsc_ring<T>::clear() noexcept {
  while (head() != tail()) {  // an item's destructor may look at the queue: it is out by then
    T* const item = at(head());
    head_.fetch_add(one, relaxed);
    std::destroy_at(item);
  }
}

// For how many there is room: by what is known of head, and by what it is if that is not enough.
template <class T>
std::uint64_t spsc_ring<T>::room(std::uint64_t index) noexcept {
  if (index - head_known_.get() >= capacity_) head_known_.set(head());
  return capacity_ - (index - head_known_.get());
}

// How many there are, likewise. The runner may have taken for the getter what it did not know of.
template <class T>
std::uint64_t spsc_ring<T>::there(std::uint64_t index) noexcept {
  if (tail_known_.get() <= index) tail_known_.set(tail());
  return tail_known_.get() - index;
}

// False: closed or frozen meanwhile.
template <class T>
bool spsc_ring<T>::advance_tail(std::uint64_t& word, std::uint64_t count) noexcept {
  // E1 publish, E3 observe
  while (!tail_.compare_exchange_weak(word, (word + count * one) & ~kick, release, acquire)) {
    if ((word & (frozen | closed)) != 0) return false;
  }
  return true;
}

template <class T>
void spsc_ring<T>::advance_head(std::uint64_t& word, std::uint64_t count) noexcept {
  while (!head_.compare_exchange_weak(word, (word + count * one) & ~kick, release, relaxed)) {  // E2 publish, I3
  }
}

template <class T>
[[gnu::always_inline]] inline item_status spsc_ring<T>::try_push(T& value) noexcept {
  std::uint64_t word = tail_.load(acquire);  // E3 observe
  if ((word & (frozen | closed)) != 0) [[unlikely]]
    return refused(word);
  const std::uint64_t index = word / one;
  if (room(index) == 0) [[unlikely]]
    return item_status::nothing;
  T* const place = at(index);
  std::construct_at(place, std::move(value));
  if (!advance_tail(word, 1)) [[unlikely]] {
    replace(value, std::move(*place));
    std::destroy_at(place);
    return refused(word);
  }
  return result(word);
}

template <class T>
template <class Take>
[[gnu::always_inline]] inline item_status spsc_ring<T>::try_pop(Take&& take) noexcept {
  std::uint64_t word = head_.load(acquire);  // E3 observe
  if ((word & frozen) != 0) [[unlikely]]
    return item_status::frozen;
  const std::uint64_t index = word / one;
  if (there(index) == 0) [[unlikely]] {
    if (!is_closed()) return item_status::nothing;
    if (there(index) == 0) return item_status::closed;  // asked again: a put may have come before the close
  }
  T* const item = at(index);
  take(std::move(*item));
  std::destroy_at(item);
  advance_head(word, 1);
  return result(word);
}

template <class T>
item_batch spsc_ring<T>::try_push_many(T* items, std::size_t count) noexcept {
  std::uint64_t word = tail_.load(acquire);  // E3 observe
  if ((word & (frozen | closed)) != 0) return {0, refused(word)};
  const std::uint64_t index = word / one;
  const std::uint64_t fits = std::min(room(index), std::uint64_t{count});
  if (fits == 0) return {0, item_status::nothing};
  for (std::uint64_t i = 0; i < fits; ++i) std::construct_at(at(index + i), std::move(items[i]));
  if (!advance_tail(word, fits)) {
    for (std::uint64_t i = 0; i < fits; ++i) {
      replace(items[i], std::move(*at(index + i)));
      std::destroy_at(at(index + i));
    }
    return {0, refused(word)};
  }
  return {fits, result(word)};
}

template <class T>
item_batch spsc_ring<T>::try_pop_many(T* out, std::size_t count) noexcept {
  std::uint64_t word = head_.load(acquire);  // E3 observe
  if ((word & frozen) != 0) return {0, item_status::frozen};
  const std::uint64_t index = word / one;
  const std::uint64_t taken = std::min(there(index), std::uint64_t{count});
  if (taken == 0) return {0, item_status::nothing};  // or closed: try_pop says which
  for (std::uint64_t i = 0; i < taken; ++i) {
    replace(out[i], std::move(*at(index + i)));
    std::destroy_at(at(index + i));
  }
  advance_head(word, taken);
  return {taken, result(word)};
}

template <class T>
std::size_t spsc_ring<T>::size() const noexcept {
  const std::uint64_t first = head();  // read first: never more than tail
  return std::min(tail() - first, capacity_);
}

template <class T>
typename spsc_ring<T>::closing spsc_ring<T>::close() noexcept {
  std::uint64_t word = tail_.load(relaxed);
  do {
    if ((word & closed) != 0) return {false, false, false};
  } while (!tail_.compare_exchange_weak(word, (word | closed) & ~kick, release, relaxed));  // E3 publish
  const std::uint64_t before = head_.fetch_and(~kick, release);  // E3 publish
  return {true, (word & kick) != 0, (before & kick) != 0};
}

template <class T>
T* spsc_ring<T>::front() noexcept {
  const std::uint64_t index = head();
  return index == tail() ? nullptr : at(index);
}

template <class T>
template <class Place>
void spsc_ring<T>::pop_front(Place& place, bool thaw) noexcept {
  T* const item = at(head());
  place.emplace(std::move(*item));
  std::destroy_at(item);
  head_.fetch_add(thaw ? one - frozen : one, release);  // E2 publish. Frozen: nobody else moves the index
}

template <class T>
bool spsc_ring<T>::push_back(T& value, bool thaw, bool even_closed) noexcept {
  std::uint64_t word = tail_.load(acquire);  // E3 observe
  T* const place = at(word / one);
  std::construct_at(place, std::move(value));
  for (;;) {  // frozen: nobody else moves the index, but close() writes tail, too
    if ((word & closed) != 0 && !even_closed) {
      replace(value, std::move(*place));
      std::destroy_at(place);
      return false;
    }
    const std::uint64_t after = word + (thaw ? one - frozen : one);
    if (tail_.compare_exchange_weak(word, after, release, acquire)) return true;  // E1 publish, E3 observe
  }
}

template <class T>
bool spsc_ring<T>::confirm_open() noexcept {
  std::uint64_t word = tail_.load(acquire);  // E3 observe
  do {
    if ((word & closed) != 0) return false;
  } while (!tail_.compare_exchange_weak(word, word, release, acquire));  // E3 publish, E3 observe
  return true;
}

template <class T>
bool spsc_ring<T>::arm_not_empty() noexcept {
  std::uint64_t word = tail_.load(relaxed);
  while (word / one == head() && (word & closed) == 0) {
    if (tail_.compare_exchange_weak(word, word | kick, relaxed, relaxed)) return true;
  }
  return false;
}

template <class T>
bool spsc_ring<T>::arm_not_full(std::uint64_t most) noexcept {
  std::uint64_t word = head_.load(relaxed);
  while (tail() - word / one >= most) {
    if (head_.compare_exchange_weak(word, word | kick, acquire, relaxed)) return true;  // E3 observe
  }
  return false;
}

}  // namespace sluice::impl
