#pragma once
// Memory for coroutine frames.

#include <cstddef>

namespace sluice::impl {

/// Aligned like operator new. Throws std::bad_alloc.
void* allocate_frame(std::size_t bytes);

/// `bytes` as it was allocated with. From any thread.
void free_frame(void* frame, std::size_t bytes) noexcept;

}  // namespace sluice::impl
