#pragma once
// Memory for coroutine frames: for each thread a list of free blocks of each size class, so that the usual allocation is a
// load, a load and a store. Full lists travel between threads through a depot, 64 blocks at a time, so that it does not
// matter which thread frees. Works on every thread, workers or not.

#include <cstddef>

namespace sluice::impl {

/// Aligned to 16 bytes (32 up to 4 KiB). Throws std::bad_alloc.
void* allocate_frame(std::size_t bytes);

/// `bytes` as it was allocated with. From any thread.
void free_frame(void* frame, std::size_t bytes) noexcept;

}  // namespace sluice::impl
