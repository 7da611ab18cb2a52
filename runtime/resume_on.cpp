#include <sluice/runtime/resume_on.hpp>

#include <stdexcept>

namespace sluice::impl {

waker& resume_on_awaiter::resolve(const executor& where, task_context& context) {
  if (scheduler::current_task() != &context) {
    throw std::logic_error(
        "sluice: resume_on() was awaited as part of another wait, such as a timeout, where there is no task of its own "
        "to "
        "move; await it by itself, or put the whole task on the executor: on(executor, task)");
  }
  return executor_access::resolve(where, *scheduler::current());
}

}  // namespace sluice::impl
