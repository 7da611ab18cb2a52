// runtime::dump: what every worker, timer, task and blocking thread is at. A snapshot of relaxed loads, taken without stopping
// anything, so that it also works when nothing moves any more.

#include <sluice/runtime/runtime_core.hpp>

#include <cstdio>
#include <cstring>
#include <new>

namespace sluice::impl {
namespace {

/// What a compiler says of the type F in __PRETTY_FUNCTION__ of callable_name<F>.
std::string readable(const char* name) {
  std::string text = name;
  for (const char* before : {"[F = ", "[with F = "}) {
    const std::size_t at = text.find(before);
    if (at == std::string::npos) continue;
    text.erase(0, at + std::strlen(before));
    if (!text.empty()) text.pop_back();
  }
  return text.empty() ? "unnamed" : text;
}

void describe(const record& task, bool done, std::string& out) {
  out += "  task " + readable(task.name);
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
