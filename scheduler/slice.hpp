#pragma once
// How long a task may go on without suspending: every resumption is a slice, and a slice has a budget of waits that are over
// at once. A task whose queue is never empty would otherwise keep its worker, and everybody behind it, for ever. (tokio's "coop"
// budget, 2020, is the same idea.)
//
// Per worker, not per task: what a task calls, transfers to and comes back from runs in its slice. Touched by the worker's
// thread only.

#include <sluice/queues/atomic.hpp>

#include <cstdint>

namespace sluice::impl {

/// Waits left to the running slice. 0: as good as no limit.
using slice_left = per_thread<struct slice_left_tag, std::uint32_t>;

/// One more wait was over at once. True: the budget is used up, and the task steps back.
inline bool spend_slice() noexcept {
  const std::uint32_t left = slice_left::get() - 1;
  slice_left::set(left);
  return left == 0;
}
/// The task could not step back: the next wait asks again.
inline void stretch_slice() noexcept { slice_left::set(1); }

}  // namespace sluice::impl
