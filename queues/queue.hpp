#pragma once
// The queue that tasks and threads share: bounded, unbounded or a rendezvous; first in, first out, awaitable and blocking, with join.

#include <sluice/queues/overflow.hpp>
#include <sluice/queues/queue_face.hpp>
#include <sluice/queues/queue_options.hpp>
#include <sluice/queues/ring.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

/// A first-in-first-out queue for any number of putters and getters, tasks and plain threads alike. What it can do, and what it promises: see
/// impl::queue_face.
template <class T>
class queue : public impl::queue_face<T, impl::queue_core<T, impl::ring<T>>> {
  using face = impl::queue_face<T, impl::queue_core<T, impl::ring<T>>>;

 public:
  /// Room for exactly `capacity` items, 1 to 2^40. Throws std::invalid_argument, std::bad_alloc.
  explicit queue(std::size_t capacity, queue_options options = {})
      : face(impl::queue_kind::bounded, capacity, std::move(options.name)) {}
  /// The same, but what happens to a put when it is full says `when_full`.
  queue(std::size_t capacity, overflow<T> when_full, queue_options options = {})
      : face(impl::queue_kind::bounded, capacity, std::move(options.name), std::move(when_full)) {}
  /// Puts never wait, but may throw std::bad_alloc; then the value is untouched. The room that a peak took is given back at the end.
  explicit queue(unbounded_t, queue_options options = {})
      : face(impl::queue_kind::unbounded, 0, std::move(options.name)) {}
  /// Each put meets a get, and returns when its item has been taken; a try succeeds only if the other side waits.
  explicit queue(rendezvous_t, queue_options options = {})
      : face(impl::queue_kind::rendezvous, 0, std::move(options.name)) {}
  /// Waits that are pending print a sentence and abort. A put or task_done that is still returning is waited for; a get, try_get
  /// or close must have returned.
  ~queue() = default;
};

}  // namespace sluice
