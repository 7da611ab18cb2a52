#pragma once
// The store of a queue that one thread at a time uses: a ring without atomics. The face is that of ring.hpp; what is said there of flags holds here.

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
class local_ring {
 public:
  static constexpr std::uint64_t largest = std::uint64_t{1} << 40;  // capacity
  static constexpr const char* largest_name = "2^40";
  static constexpr bool can_resize = true;

  /// Room for `capacity` items at first. Throws std::bad_alloc.
  explicit local_ring(std::uint64_t capacity)
      : capacity_(capacity), mask_(places(capacity) - 1), cells_(make(mask_ + 1)) {}
  ~local_ring() { clear(); }
  local_ring(const local_ring&) = delete;
  local_ring& operator=(const local_ring&) = delete;

  item_status try_push(T& value) noexcept;
  template <class Take>
  item_status try_pop(Take&& take) noexcept;
  item_batch try_push_many(T* items, std::size_t count) noexcept;
  item_batch try_pop_many(T* out, std::size_t count) noexcept;

  std::uint64_t tail() const noexcept { return tail_; }
  bool is_closed() const noexcept { return closed_; }
  std::uint64_t capacity() const noexcept { return capacity_; }
  std::size_t size() const noexcept { return tail_ - head_; }

  struct closing {
    bool first;           // it was open before
    bool owes_tail_kick;  // a getter waited
    bool owes_head_kick;  // a putter waited
  };
  closing close() noexcept {
    return {!std::exchange(closed_, true), std::exchange(tail_kick_, false), std::exchange(head_kick_, false)};
  }

  void freeze_head() noexcept { head_frozen_ = true; }
  void freeze_tail() noexcept { tail_frozen_ = true; }
  void thaw_head() noexcept { head_frozen_ = false; }
  void thaw_tail() noexcept { tail_frozen_ = false; }
  T* front() noexcept { return head_ == tail_ ? nullptr : at(head_); }
  template <class Place>
  void pop_front(Place& place, bool thaw) noexcept {
    place.emplace(std::move(*at(head_)));
    std::destroy_at(at(head_++));
    if (thaw) head_frozen_ = false;
  }
  bool is_back_free() const noexcept { return true; }
  bool push_back(T& value, bool thaw, bool even_closed = false) noexcept {
    if (closed_ && !even_closed) return false;
    std::construct_at(at(tail_++), std::move(value));
    if (thaw) tail_frozen_ = false;
    return true;
  }
  bool confirm_open() const noexcept { return !closed_; }
  bool arm_not_empty() noexcept { return !closed_ && head_ == tail_ && (tail_kick_ = true); }
  bool arm_not_full(std::uint64_t most) noexcept { return size() >= most && (head_kick_ = true); }
  [[nodiscard]] bool resize(std::uint64_t capacity) noexcept;
  bool pass_tail() noexcept { return !closed_ && ++tail_ != 0; }
  void pass_head() noexcept { ++head_; }
  void clear() noexcept {
    while (head_ != tail_) std::destroy_at(at(head_++));
  }
  bool kick_on_tail() const noexcept { return tail_kick_; }
  bool kick_on_head() const noexcept { return head_kick_; }

 private:
  struct cell {
    alignas(T) std::byte storage[sizeof(T)];
  };

  static std::uint64_t places(std::uint64_t capacity) noexcept {
    return std::bit_ceil(std::max(capacity, std::uint64_t{1}));
  }
  static std::unique_ptr<cell[]> make(std::uint64_t count) { return std::make_unique_for_overwrite<cell[]>(count); }
  static T* in(cell& c) noexcept { return std::launder(reinterpret_cast<T*>(c.storage)); }
  T* at(std::uint64_t index) const noexcept { return in(cells_[index & mask_]); }
  static item_status result(bool kick) noexcept { return kick ? item_status::done_kick : item_status::done; }

  std::uint64_t tail_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t capacity_;
  std::uint64_t mask_;
  std::unique_ptr<cell[]> cells_;
  bool closed_ = false;
  bool head_frozen_ = false;
  bool tail_frozen_ = false;
  bool head_kick_ = false;
  bool tail_kick_ = false;
};

// -----------------------------------------------------------------------------------------------------------

template <class T>
[[gnu::always_inline]] inline item_status local_ring<T>::try_push(T& value) noexcept {
  if (closed_) return item_status::closed;
  if (tail_frozen_) return item_status::frozen;
  if (size() >= capacity_) return item_status::nothing;
  std::construct_at(at(tail_++), std::move(value));
  return result(std::exchange(tail_kick_, false));
}

template <class T>
template <class Take>
[[gnu::always_inline]] inline item_status local_ring<T>::try_pop(Take&& take) noexcept {
  if (head_frozen_) return item_status::frozen;
  if (head_ == tail_) return closed_ ? item_status::closed : item_status::nothing;
  T* const item = at(head_);
  take(std::move(*item));
  std::destroy_at(item);
  ++head_;
  return result(std::exchange(head_kick_, false));
}

template <class T>
item_batch local_ring<T>::try_push_many(T* items, std::size_t count) noexcept {
  item_batch all{0, item_status::nothing};
  bool kick = false;
  while (all.moved < count) {
    all.status = try_push(items[all.moved]);
    if (!is_done(all.status)) break;
    kick = kick || all.status == item_status::done_kick;
    ++all.moved;
  }
  return all.moved == 0 ? all : item_batch{all.moved, result(kick)};
}

template <class T>
item_batch local_ring<T>::try_pop_many(T* out, std::size_t count) noexcept {
  item_batch all{0, item_status::nothing};
  bool kick = false;
  while (all.moved < count) {
    all.status = try_pop([&](T&& item) { replace(out[all.moved], std::move(item)); });
    if (!is_done(all.status)) break;
    kick = kick || all.status == item_status::done_kick;
    ++all.moved;
  }
  return all.moved == 0 ? all : item_batch{all.moved, result(kick)};
}

template <class T>
bool local_ring<T>::resize(std::uint64_t capacity) noexcept {
  if (capacity > mask_ + 1) {
    std::unique_ptr<cell[]> made;
    try {
      made = make(places(capacity));
    } catch (const std::bad_alloc&) {
      return false;
    }
    const std::uint64_t mask = places(capacity) - 1;
    for (std::uint64_t i = head_; i != tail_; ++i) {
      std::construct_at(in(made[i & mask]), std::move(*at(i)));
      std::destroy_at(at(i));
    }
    cells_ = std::move(made);
    mask_ = mask;
  }
  capacity_ = capacity;
  return true;
}

}  // namespace sluice::impl
