#include <sluice/runtime/step_back.hpp>

#include <sluice/scheduler/fork_lane.hpp>

namespace sluice::impl {

bool must_step_back(task_context& context) noexcept {
  const bool able = scheduler::current_task() == &context && static_cast<root_context&>(context).steps_back();
  if (!able) {
    stretch_slice();
    return false;
  }
  // Who waits at a strand or for this worker alone is not for the worker to say.
  return !context.current_waker().roams() || fork_lane::current()->others_wait();
}

}  // namespace sluice::impl
