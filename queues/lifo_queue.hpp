#pragma once
// The queue whose newest item goes first.

#include <sluice/queues/overflow.hpp>
#include <sluice/queues/queue_face.hpp>
#include <sluice/queues/queue_options.hpp>
#include <sluice/queues/stack.hpp>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace sluice {

/// A last-in-first-out queue, as Python's asyncio.LifoQueue: the face of sluice::queue (impl::queue_face), but a get takes the newest item. Waiters are
/// served first in, first out, as everywhere. put_many puts in order, so the last of its items is the first to go; get_many gives the newest
/// first. Item order counts from the moment that a put takes effect.
///
/// Holds 2^26 - 1 items at most. Growing moves no items. Everything else as in queue.
template <class T>
class lifo_queue : public impl::queue_face<T, impl::queue_core<T, impl::stack<T>>> {
  using face = impl::queue_face<T, impl::queue_core<T, impl::stack<T>>>;

 public:
  /// Room for exactly `capacity` items, 1 to 2^26 - 1. Throws std::invalid_argument, std::bad_alloc.
  explicit lifo_queue(std::size_t capacity, queue_options options = {})
      : face(impl::queue_kind::bounded, capacity, std::move(options.name)) {}
  /// The same, but what happens to a put when it is full says `when_full`. Not drop_oldest: std::invalid_argument.
  lifo_queue(std::size_t capacity, overflow<T> when_full, queue_options options = {})
      : face(impl::queue_kind::bounded, capacity, std::move(options.name), checked(std::move(when_full))) {}
  /// Puts never wait, but may throw std::bad_alloc; then the value is untouched.
  explicit lifo_queue(unbounded_t, queue_options options = {})
      : face(impl::queue_kind::unbounded, 0, std::move(options.name)) {}
  /// Each put meets a get: as a queue does that is a rendezvous.
  explicit lifo_queue(rendezvous_t, queue_options options = {})
      : face(impl::queue_kind::rendezvous, 0, std::move(options.name)) {}
  /// As of a queue.
  ~lifo_queue() = default;

 private:
  static overflow<T> checked(overflow<T> when_full) {
    if (when_full.policy != overflow_policy::drop_oldest) return when_full;
    throw std::invalid_argument(
        "sluice: a lifo_queue cannot drop its oldest item, which lies under all others: use keep_latest, drop_newest "
        "or "
        "reject, or a queue");
  }
};

}  // namespace sluice
