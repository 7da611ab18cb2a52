#include <sluice/scheduler/strand_core.hpp>

#include <sluice/queues/fail.hpp>

namespace sluice::impl {
namespace {

constexpr const char* destroyed_early =
    "a strand was destroyed while a task was still on it, which would never go on; keep the strand until the tasks "
    "that were put on it have ended";

}  // namespace

void strand_core::wake(runnable& r) noexcept {
  std::uintptr_t seen = word_.load(relaxed);  // relaxed: not looked into
  do {
    if (seen == orphaned) fail(destroyed_early);
    r.next = is_task(seen) ? reinterpret_cast<runnable*>(seen) : nullptr;
    // E1 publish, E2 observe
  } while (!word_.compare_exchange_weak(seen, reinterpret_cast<std::uintptr_t>(&r), acq_rel, relaxed));
  if (seen == idle) home_.wake(*this);
}

void strand_core::abandon() noexcept {
  std::uintptr_t seen = word_.load(acquire);  // E2 observe
  do {
    if (is_task(seen)) fail(destroyed_early);
    if (seen == idle) {
      delete this;
      return;
    }
  } while (!word_.compare_exchange_weak(seen, orphaned, release, acquire));  // E2 observe
}

task_context* strand_core::begin(chore& self, fork_lane& by) noexcept {
  auto& strand = static_cast<strand_core&>(self);
  for (int left = turn; left > 0; --left) {
    if (strand.line_ == nullptr && !strand.take_list()) return nullptr;
    if (strand.word_.load(relaxed) == orphaned) fail(destroyed_early);  // relaxed: I3, found sooner or later
    runnable* const r = strand.line_;
    strand.line_ = r->next;
    if (!by.run_slice(static_cast<task_context&>(*r))) break;
  }
  if (strand.line_ != nullptr || strand.take_list()) strand.home_.yield(strand);
  return nullptr;
}

// What has become ready. False: nothing, and the strand is another's now, or gone.
bool strand_core::take_list() noexcept {
  std::uintptr_t seen = busy;
  if (word_.compare_exchange_strong(seen, idle, release, acquire)) return false;  // E2 publish, I2
  if (seen == orphaned) {
    delete this;
    return false;
  }
  auto* newest = reinterpret_cast<runnable*>(word_.exchange(busy, acquire));  // E1 observe
  while (newest != nullptr) {
    runnable* const older = newest->next;
    newest->next = line_;
    line_ = newest;
    newest = older;
  }
  return true;
}

}  // namespace sluice::impl
