// not compiled in model builds: the models have threads of their own
// A thread of the system.

#include <sluice/runtime/blocking_thread.hpp>

#include <pthread.h>

namespace sluice::impl {

void blocking_thread::start(const std::string& name, void (*run)(void*), void* of) {
  thread_ = std::thread(run, of);
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

void blocking_thread::join() noexcept { thread_.join(); }

}  // namespace sluice::impl
