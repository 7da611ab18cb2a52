#pragma once
// Giving memory back that a peak has left behind.

#include <cstddef>

namespace sluice {

/// Gives memory of frames that nobody uses back to the system, and says how many bytes that were: for a service after a peak.
/// Frames are those of coroutines and of children of groups and when_alls, up to 4 KiB each; larger ones go back to
/// malloc when they end. From any thread; tasks go on meanwhile. One caller at a time: returns 0 while another trims, and where
/// pages are as large as 64 KiB. It looks at every free frame, some tens of nanoseconds each.
/// Given back are the pages of each 64 KiB of which no frame is in use, apart from the first page. What a worker or another thread keeps
/// for itself, up to 127 frames of each size, is not given back until it sleeps for lack of work, or ends.
std::size_t trim_memory() noexcept;

}  // namespace sluice
