#include <sluice/runtime/fork_join.hpp>

#include <stdexcept>
#include <string>

namespace sluice::impl {

fork_lane& lane_for(const char* function) {
  if (fork_lane* const lane = fork_lane::current()) [[likely]]
    return *lane;
  throw std::logic_error(
      "sluice::" + std::string(function) +
      ": this thread is no worker; call it in a task, such as one given to sluice::run, and not in run_blocking");
}

}  // namespace sluice::impl
