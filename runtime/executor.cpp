#include <sluice/runtime/executor.hpp>

#include <sluice/runtime/strand.hpp>

#include <stdexcept>
#include <string>

namespace sluice {
namespace {

impl::scheduler& current_scheduler(const char* asked) {
  if (impl::scheduler::current_task() != nullptr) return *impl::scheduler::current();
  throw std::logic_error(std::string("sluice: ") + asked +
                         " was called outside of every task, where there is no worker; call it in a task, or ask "
                         "runtime::worker() for a worker by its number");
}

}  // namespace

executor::executor(const strand& s) noexcept : home_(&s.core_->home()), waker_(s.core_) {}

impl::waker& impl::executor_access::resolve(const executor& e, scheduler& here) {
  if (e.home_ != nullptr) {
    if (e.home_ == &here) return *e.waker_;
    throw std::logic_error(
        "sluice: a task was to go on at a strand or a worker of another runtime than its own; spawn it on that "
        "runtime and await its handle: co_await other.spawn(on(executor, task))");
  }
  switch (e.lane_) {
    case lane::critical:
      return here.critical_lane();
    case lane::background:
      return here.background_lane();
    default:
      return here;
  }
}

executor this_task::worker() {
  impl::scheduler& here = current_scheduler("this_task::worker()");
  return impl::executor_access::make(here, here.pinned(impl::scheduler::current_worker()));
}

std::size_t this_task::worker_index() {
  (void)current_scheduler("this_task::worker_index()");
  return impl::scheduler::current_worker();
}

}  // namespace sluice
