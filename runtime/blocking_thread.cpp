// not compiled in model builds: the models have threads of their own
// A thread of the system.

#include <sluice/runtime/blocking_thread.hpp>

#include <sluice/scheduler/binding.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <pthread.h>
#include <vector>

namespace sluice::impl {

void blocking_thread::start(const std::string& name, void (*run)(void*), void* of) {
  const scheduler* const maker = scheduler::current();
  thread_ = std::thread([run, of, workers = maker != nullptr ? maker->processors() : std::vector<unsigned>()] {
    unbind_this_thread(workers);
    run(of);
  });
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

void blocking_thread::join() noexcept { thread_.join(); }

}  // namespace sluice::impl
