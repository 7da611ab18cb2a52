#pragma once
// A thread of the blocking pool: everything that the pool asks of the system, so that a model can give it threads of
// its own.

#include <string>
#include <thread>

namespace sluice::impl {

class blocking_thread {
 public:
  /// No thread yet.
  blocking_thread() noexcept = default;

  /// Starts a thread that calls run(of), on any of the workers' processors even if a bound worker starts it. Throws std::system_error
  /// when the system gives none.
  void start(const std::string& name, void (*run)(void*), void* of);
  /// Waits for the end of run.
  void join() noexcept;

 private:
  std::thread thread_;
};

}  // namespace sluice::impl
