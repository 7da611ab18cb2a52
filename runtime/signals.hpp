#pragma once
// signals: operating-system signals as something to await.
//
//   handler (any thread) --counts, wakes--> watcher thread --under the lock--> every signals object --> its waiters
//
// The handler only adds to atomics and makes one futex call, all of it async-signal-safe. One watcher thread per process, started
// with the first object, sleeps in the kernel; it is never stopped and what it uses is never destroyed. signals.cpp asks the
// system; all else, the watcher's rounds included, is in signal_watch.hpp.
//
// I1  A signal is counted once in every object that lists it and lives when the watcher handles it.
// I2  A waiter is in its object's list, or has been taken out by whoever ends its wait: the watcher or a canceller, under the lock.
// I3  A waiter is woken under the lock, which an object's destructor takes: so the waker has left before the object goes.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/awaited_once.hpp>
#include <sluice/runtime/gate.hpp>

#include <coroutine>
#include <cstddef>
#include <initializer_list>
#include <memory>

namespace sluice {

class signals;

namespace impl {

struct signal_listener;

class [[nodiscard]] signal_awaiter final : public canceller {
 public:
  signal_awaiter(signal_listener& listener, task_context& context) noexcept : listener_(listener), context_(context) {}
  signal_awaiter(const signal_awaiter&) = delete;
  signal_awaiter& operator=(const signal_awaiter&) = delete;

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> self) noexcept;
  int await_resume() const;
  void cancel(cancellable&, cancellation&) noexcept override;

 private:
  friend struct signal_listener;

  signal_listener& listener_;
  task_context& context_;
  cancellable link_{this};
  gate gate_{2};  // the listener, the link
  // Under the lock.
  signal_awaiter* previous_ = nullptr;
  signal_awaiter* next_ = nullptr;
  bool listed_ = false;
  bool cancelled_ = false;
  int number_ = 0;
};

struct [[nodiscard]] signal_operation {
  signal_listener* listener;
  awaited_once once{};
  signal_awaiter bind(task_context& context) && {
    once.take();
    return {*listener, context};
  }
};

}  // namespace impl

/// While it lives, these signals do not have their usual effect but are counted here; afterwards what was installed before is
/// restored. Several objects may list one signal: each gets it. Construction and destruction from any thread.
class signals {
 public:
  /// Throws std::invalid_argument for an empty list or a signal that cannot be handled, std::system_error when the watcher
  /// thread cannot be started, std::logic_error in a child of fork() whose parent had such an object before: the child has no
  /// watcher, and objects made before never give a signal there.
  signals(std::initializer_list<int> numbers);
  /// With a waiter left: prints what waits, and aborts.
  ~signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;

  /// Waits for a signal and gives its number. Those that came before are not lost: each is given once, the lowest number first.
  /// Waiters are served first come, first served. Cancellable.
  impl::signal_operation next() noexcept { return {listener_.get()}; }

 private:
  std::unique_ptr<impl::signal_listener> listener_;
};

}  // namespace sluice
