#pragma once
// Binds threads to processors.

#include <pthread.h>
#include <vector>

namespace sluice::impl {

/// From now on the thread runs on these processors only. Returns 0 or an error of errno.h; then nothing has changed.
/// Precondition: there is at least one.
[[nodiscard]] int bind_thread(pthread_t thread, const std::vector<unsigned>& processors) noexcept;

/// For a thread that a worker may have started, whose processor it then inherits: lets it run on all those of the workers. `workers`
/// is empty if these are not bound. Where it fails the thread stays where it is, which is correct and may be slow.
void unbind_this_thread(const std::vector<unsigned>& workers) noexcept;

/// The processor that runs the calling thread at this moment; 0 where that is not known. Some 20 ns.
unsigned current_processor() noexcept;

}  // namespace sluice::impl
