#include <sluice/runtime/strand.hpp>

#include <sluice/queues/fail.hpp>

#include <stdexcept>

namespace sluice {
namespace {

impl::scheduler& home_of_task() {
  if (impl::scheduler::current_task() != nullptr) return *impl::scheduler::current();
  throw std::logic_error(
      "sluice: a strand was made outside of every task, so there is no current runtime; pass one: "
      "sluice::strand s(my_runtime)");
}

}  // namespace

strand::strand() : core_(new impl::strand_core(home_of_task())) {}
strand::strand(runtime& home) : core_(new impl::strand_core(home.core_->sched())) {}

strand::~strand() {
  const impl::task_context* const task = impl::scheduler::current_task();
  if (task != nullptr && &task->current_waker() == core_) {
    impl::fail(
        "a strand was destroyed by a task that is on it, which would never go on; let the task move away before, with "
        "resume_on(lane::normal), or put only a part of it on the strand, with on(strand, task)");
  }
  core_->abandon();
}

}  // namespace sluice
