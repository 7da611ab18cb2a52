#pragma once
// What a queue keeps its items in: a ring (ring.hpp) or a stack (stack.hpp). Both have the same face, which queue_core.hpp uses; here is what
// their operations give.
//
// A store counts: tail() is the number of items ever put, and size() how many are in it. Its words carry the flags by which waiters are
// found, as ring.hpp says: kick and frozen of either side, and closed.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace sluice::impl {

/// What every queue asks of T.
template <class T>
struct queue_item {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "sluice queues: T must be a non-const object type");
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "sluice queues: T must be nothrow move constructible, because an item that throws between leaving the "
                "caller and entering the queue would be lost; put a std::unique_ptr<T> instead");
  static_assert(
      alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
      "sluice queues: T is over-aligned, which coroutine frames do not honour; put a std::unique_ptr<T> instead");
  static_assert(std::is_nothrow_destructible_v<T>, "sluice queues: T's destructor must not throw");
};

/// Assigns without an assignment, which an item need not have.
template <class T>
void replace(T& place, T&& item) noexcept {
  std::destroy_at(&place);
  std::construct_at(&place, std::move(item));
}

enum class item_status : std::uint8_t {
  done,
  done_kick,  // done, and a kick is owed
  nothing,    // full (put) or empty (get)
  frozen,     // waiters were first
  closed,     // put: closed. get: closed and empty
  full,       // put: and the queue's policy is not to wait
  no_memory,  // put: an unbounded queue cannot grow
};

inline bool is_done(item_status status) noexcept {
  return status == item_status::done || status == item_status::done_kick;
}

/// How many items an operation on several moved, and why not more.
struct item_batch {
  std::size_t moved;
  item_status status;  // done and done_kick: of the last step, which may have moved fewer than it might
};

}  // namespace sluice::impl
