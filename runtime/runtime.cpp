// What of the public interface is no template: options, refusals on workers, dump.

#include <sluice/runtime/runtime.hpp>

#include <cstdlib>
#include <stdexcept>

namespace sluice {
namespace impl {

void throw_on_worker(const char* what, const char* instead) {
  throw std::logic_error(std::string("sluice: ") + what +
                         " was called on a worker of a runtime, which must never block; " + instead);
}

runtime_core& spawner::current_core() {
  if (scheduler::current_task() == nullptr) {
    throw std::logic_error(
        "sluice: spawn() was called outside of every task, so there is no current runtime; call spawn() of a runtime "
        "object "
        "instead");
  }
  return root_context::current().core();
}

}  // namespace impl

runtime::runtime(runtime_options options) {
  if (options.workers > 4096) {
    throw std::invalid_argument("sluice::runtime: " + std::to_string(options.workers) +
                                " workers were asked for; give at most 4096, or 0 for what the machine allows");
  }
  if (options.blocking_threads == 0 || options.blocking_threads > 65536) {
    throw std::invalid_argument("sluice::runtime: blocking_threads is " + std::to_string(options.blocking_threads) +
                                "; give 1 to 65536");
  }
  impl::scheduler_options below;
  below.workers = options.workers;
  below.name = std::move(options.name);
  below.simulation = options.simulation;
  below.ready_budget = options.ready_budget;
  below.pin_workers = options.pin_workers;
  below.hooks = std::move(options.hooks);
  core_ = new impl::runtime_core(std::move(below), options.blocking_threads, std::move(options.on_unhandled_exception));
}

runtime::~runtime() {
  if (impl::scheduler::current() != nullptr) {
    std::fputs(
        "sluice: a runtime was destroyed on a worker, which would have to wait for itself; destroy it on the thread "
        "that "
        "made it, outside every task.\n",
        stderr);
    std::abort();
  }
  core_->retire();
}

void runtime::refuse_on_worker(const char* what, const char* instead) {
  if (impl::scheduler::current() != nullptr) impl::throw_on_worker(what, instead);
}

std::size_t runtime::worker_count() const noexcept { return core_->sched().worker_count(); }

executor runtime::worker(std::size_t index) {
  if (index >= worker_count()) {
    throw std::invalid_argument(
        "sluice::runtime::worker: there is no worker " + std::to_string(index) + "; give 0 to " +
        std::to_string(worker_count() - 1) +
        " (the number may change where runtime_options::workers is 0: set it where it must stay)");
  }
  return impl::executor_access::make(core_->sched(), core_->sched().pinned(index));
}

void runtime::dump(std::FILE* out) const {
  const std::string text = core_->dump();
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

}  // namespace sluice
