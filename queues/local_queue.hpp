#pragma once
// The queue for one thread.

#include <sluice/queues/local_ring.hpp>
#include <sluice/queues/overflow.hpp>
#include <sluice/queues/queue_face.hpp>
#include <sluice/queues/queue_options.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

/// A first-in-first-out queue for the tasks of one thread, such as those of a runtime with one worker: the face of sluice::queue
/// (impl::queue_face) without a locked instruction where nobody waits.
///
/// Every operation, and every cancellation and time-out of a task that waits on it, must come from that thread, or from others one after the
/// other, each of which has what the one before did happen before. Otherwise it is a data race. For plain threads there are only the
/// try_ forms: a blocking_ one would wait for ever.
template <class T>
class local_queue : public impl::queue_face<T, impl::queue_core<T, impl::local_ring<T>>> {
  using face = impl::queue_face<T, impl::queue_core<T, impl::local_ring<T>>>;

 public:
  /// Room for exactly `capacity` items, 1 to 2^40. Throws std::invalid_argument, std::bad_alloc.
  explicit local_queue(std::size_t capacity, queue_options options = {})
      : face(impl::queue_kind::bounded, capacity, std::move(options.name)) {}
  /// The same, but what happens to a put when it is full says `when_full`.
  local_queue(std::size_t capacity, overflow<T> when_full, queue_options options = {})
      : face(impl::queue_kind::bounded, capacity, std::move(options.name), std::move(when_full)) {}
  /// Puts never wait, but may throw std::bad_alloc; then the value is untouched.
  explicit local_queue(unbounded_t, queue_options options = {})
      : face(impl::queue_kind::unbounded, 0, std::move(options.name)) {}
  /// Each put meets a get: as a queue does that is a rendezvous.
  explicit local_queue(rendezvous_t, queue_options options = {})
      : face(impl::queue_kind::rendezvous, 0, std::move(options.name)) {}
  /// As of a queue.
  ~local_queue() = default;
};

}  // namespace sluice
