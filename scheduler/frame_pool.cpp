#include <sluice/scheduler/frame_pool.hpp>

#include <new>

namespace sluice::impl {

void* allocate_frame(std::size_t bytes) { return ::operator new(bytes); }
void free_frame(void* frame, std::size_t bytes) noexcept { ::operator delete(frame, bytes); }

}  // namespace sluice::impl
