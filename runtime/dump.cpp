// runtime::dump: what every worker, timer, task and blocking thread is at. A snapshot of relaxed loads, taken without stopping
// anything, so that it also works when nothing moves any more.

#include <sluice/runtime/runtime_core.hpp>
#include <sluice/runtime/task_group.hpp>

#include <cstdio>
#include <new>
#include <stdexcept>

namespace sluice::impl {
namespace {

std::string count_of(std::size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

/// A spawned task, or a child of a group.
template <class Task>
void describe(const Task& task, bool done, std::string& out) {
  out += std::string("  task ") + (*task.name != '\0' ? task.name : "unnamed");
  if (*task.file != '\0') out += std::string(" (spawned at ") + task.file + ":" + std::to_string(task.line) + ")";
  if (task.cancelled()) out += ", cancelled";
  if (done) {
    out += ": ended, its result is not yet collected\n";
    return;
  }
  const char* operation = task.wait_operation.load(relaxed);
  if (operation == nullptr) {
    out += ": running or ready\n";
    return;
  }
  out += std::string(": waits in ") + operation;
  if (const void* object = task.wait_object.load(relaxed)) {
    char address[32];
    std::snprintf(address, sizeof address, " of %p", object);
    out += address;
  }
  out += "\n";
}

}  // namespace

std::string runtime_core::dump() {
  require_threads();  // one of those that are not there may hold a lock
  std::string out = "runtime \"" + name_ + "\": " + count_of(sched().worker_count(), "worker") + ", " +
                    count_of(task_count(), "spawned task") + "\n";
  sched().describe(out);
  describe_tasks(out);
  blocking_.describe(out);
  return out;
}

void runtime_core::describe_tasks(std::string& out) {
  for (std::uint32_t i = 0; i < records_.used(); ++i) {
    record_block& block = records_.at(i);
    if (!block.word.visit()) continue;
    auto* found = std::launder(reinterpret_cast<record*>(block.storage));
    describe(*found, block.word.done(), out);
    if (block.word.leave_visit()) found->free();
  }
  roster::look_at_all(roster_pages_, [&out](const group_child& child) { describe(child, false, out); });
}

void runtime_core::block_until(atomic<std::uint32_t>& done) {
  require_threads();
  try {
    sched().block_until(done);
  } catch (const std::logic_error& standstill) {
    std::string text = standstill.what();
    describe_tasks(text);
    throw std::logic_error(text);
  }
}

}  // namespace sluice::impl
