#include <sluice/runtime/strand.hpp>

#include <stdexcept>

namespace sluice {
namespace {

impl::scheduler& home_of_task() {
  if (impl::scheduler::current_task() != nullptr) return *impl::scheduler::current();
  throw std::logic_error(
      "sluice: a strand was made on a thread that is no worker of a runtime, so there is no current runtime; pass one: "
      "sluice::strand s(my_runtime)");
}

}  // namespace

strand::strand() : core_(new impl::strand_core(home_of_task())) {}
strand::strand(runtime& home) : core_(new impl::strand_core(home.core_->sched())) {}

}  // namespace sluice
