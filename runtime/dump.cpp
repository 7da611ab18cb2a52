// runtime::dump: what every worker, timer, task and blocking thread is at. A snapshot of relaxed loads, taken without stopping
// anything, so that it also works when nothing moves any more.

#include <sluice/runtime/runtime_core.hpp>

#include <cstdio>
#include <new>

namespace sluice::impl {
namespace {

void describe(const record& task, bool done, std::string& out) {
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
  char object[32];
  std::snprintf(object, sizeof object, "%p", task.wait_object.load(relaxed));
  out += std::string(": waits in ") + operation + " of " + object + "\n";
}

}  // namespace

std::string runtime_core::dump() {
  std::string out = "runtime \"" + name_ + "\": " + std::to_string(sched().worker_count()) + " workers, " +
                    std::to_string(task_count()) + " spawned tasks\n";
  sched().describe(out);
  for (std::uint32_t i = 0; i < records_.used(); ++i) {
    record_block& block = records_.at(i);
    if (!block.word.visit()) continue;
    auto* found = std::launder(reinterpret_cast<record*>(block.storage));
    describe(*found, block.word.done(), out);
    if (block.word.leave_visit()) found->free();
  }
  blocking_.describe(out);
  return out;
}

}  // namespace sluice::impl
