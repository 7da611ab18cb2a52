#pragma once
// The queue for one putter and one getter.

#include <sluice/queues/overflow.hpp>
#include <sluice/queues/queue_face.hpp>
#include <sluice/queues/queue_options.hpp>
#include <sluice/queues/spsc_ring.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

/// A bounded first-in-first-out queue for one putter at a time and one getter at a time: the face of sluice::queue (impl::queue_face), faster between
/// two cores. They may be tasks that move between threads, or plain threads, and others may take over a side when what the one before did
/// happens before: through a lock, a join, another queue.
///
/// To the putter's side belong put, put_many, try_put, reserve, a slot's put and end; to the getter's side get, next, lease, get_many,
/// peek, try_get, close_now. Any thread: task_done, join, close, and what only looks. More than one on a side at a time is a data race. Progress: puts
/// and gets that need not wait are lock-free without the window of queue. A put that finds the queue closed moves the value into its cell
/// and back. set_capacity is refused: std::logic_error.
template <class T>
class spsc_queue : public impl::queue_face<T, impl::queue_core<T, impl::spsc_ring<T>>> {
  using face = impl::queue_face<T, impl::queue_core<T, impl::spsc_ring<T>>>;

 public:
  /// Room for exactly `capacity` items, 1 to 2^40. Throws std::invalid_argument, std::bad_alloc.
  explicit spsc_queue(std::size_t capacity, queue_options options = {})
      : face(impl::queue_kind::bounded, capacity, std::move(options.name)) {}
  /// As of a queue.
  ~spsc_queue() = default;
};

}  // namespace sluice
