#pragma once
// How long a task may go on without suspending: every resumption is a slice, and a slice has a budget of waits that are over
// at once. A task whose queue is never empty would otherwise keep its worker, and everybody behind it, for ever. (tokio's "coop"
// budget, 2020, is the same idea.)
//
// Per worker, not per task: what a task calls, transfers to and comes back from runs in its slice. Touched by the worker's
// thread only.

#include <cstdint>

namespace sluice::impl {

/// Waits left to the running slice. 0: as good as no limit.
inline thread_local constinit std::uint32_t slice_left = 0;

/// One more wait was over at once. True: the budget is used up, and the task steps back.
inline bool spend_slice() noexcept { return --slice_left == 0; }
/// The task could not step back: the next wait asks again.
inline void stretch_slice() noexcept { slice_left = 1; }

}  // namespace sluice::impl
