#pragma once
// Who waits on a queue, and with what: what the runner of queue_core.hpp moves items from and to.

#include <sluice/queues/late.hpp>
#include <sluice/queues/waiter_hub.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice::impl {

inline constexpr std::uint8_t getter_list = 0;
inline constexpr std::uint8_t putter_list = 1;
inline constexpr std::uint8_t joiner_list = 2;

/// What a waiter of a queue wants.
namespace wait_kind {
inline constexpr std::uint8_t item = 0;   // to get, or to put
inline constexpr std::uint8_t items = 1;  // to put
inline constexpr std::uint8_t slot = 2;   // to reserve
inline constexpr std::uint8_t look = 3;   // at the item that is the next to go
}  // namespace wait_kind

/// A task that waits for an item, to take it or to look at it.
template <class T>
struct get_waiter : waiter {
  get_waiter(task_context& c, late<T>& place) noexcept : waiter(c, getter_list), item(place) {}
  late<T>& item;
};

/// A task that waits for room. The value stays where it is until the wait is claimed.
template <class T>
struct put_waiter : waiter {
  put_waiter(task_context& c, T& v) noexcept : waiter(c, putter_list), value(&v) {}
  T* value;
};

/// A task that waits for room for several items.
template <class T>
struct put_many_waiter : waiter {
  put_many_waiter(task_context& c, T* first, std::size_t n) noexcept : waiter(c, putter_list), items(first), count(n) {
    kind = wait_kind::items;
  }

  T* items;
  std::size_t count;
  std::size_t moved = 0;  // its own until it registers, then the runner's
};

/// A task that waits for a slot.
struct slot_waiter : waiter {
  explicit slot_waiter(task_context& c) noexcept : waiter(c, putter_list) { kind = wait_kind::slot; }
};

/// A task that waits until nothing is unfinished.
struct join_waiter : waiter {
  join_waiter(task_context& c, std::uint64_t tail) noexcept : waiter(c, joiner_list), start(tail) {}
  std::uint64_t start;
};

}  // namespace sluice::impl
