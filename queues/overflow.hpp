#pragma once
// What a bounded queue does with a put when it is full, other than to make it wait.

#include <cstdint>
#include <functional>
#include <utility>

namespace sluice {

enum class overflow_policy : std::uint8_t {
  wait,         ///< the put waits until there is room
  reject,       ///< the put fails: it throws queue_full, and try_put gives false; the value is untouched
  drop_oldest,  ///< the item that would be the next to go is dropped, as often as needed
  drop_newest,  ///< what is put is dropped, and the put returns; try_put gives false, and the value is untouched
  keep_latest,  ///< all that is queued is dropped: what is put is the only item then
};

/// A policy, and what is told of each item that is dropped by it. `dropped` may be empty, and must not throw. It is called in the thread that
/// puts, by several at a time perhaps, while nothing of the queue is held: it may use the queue, and nobody waits for it but the put.
/// A dropped item that was queued counts as done. A put that finds the queue closed only after it has made room fails, and what it dropped stays
/// dropped.
template <class T>
struct overflow {
  overflow(overflow_policy what, std::function<void(T&&)> told = {}) : policy(what), dropped(std::move(told)) {}

  overflow_policy policy;
  std::function<void(T&&)> dropped;
};

}  // namespace sluice
