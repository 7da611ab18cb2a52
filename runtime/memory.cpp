#include <sluice/runtime/memory.hpp>

#include <sluice/scheduler/frame_pool.hpp>

namespace sluice {

std::size_t trim_memory() noexcept { return impl::trim_frames(); }

}  // namespace sluice
