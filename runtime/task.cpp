#include <sluice/runtime/task.hpp>

#include <stdexcept>

namespace sluice::impl {

void throw_task_used() {
  throw std::logic_error(
      "sluice::task: this task was already awaited, spawned or moved from; a task runs once, call its function again "
      "for "
      "another run");
}

}  // namespace sluice::impl
