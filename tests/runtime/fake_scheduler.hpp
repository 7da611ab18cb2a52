#pragma once
// The scheduler of the runtime's models: the interface of scheduler/scheduler.hpp over a first in, first out line of
// runnables that model threads work off. The runtime above it is the shipped one, coroutines included.
//
// It keeps no promise that the real one does not make: whoever hands a runnable over (release) is seen by whoever resumes it
// (acquire), and nothing more; a runnable may be resumed, and gone, before the call returns.
//
// One scheduler per execution. A program's coroutines take `in_model` first: then their frames come from the checker's heap, one
// by one, and a late touch is found.

#include <sluice/runtime/task.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <coroutine>
#include <new>

namespace sluice::impl {

struct in_model {};

template <class T>
struct model_promise : task_promise<T> {
  static void* operator new(std::size_t bytes) { return ::operator new(bytes); }
  static void operator delete(void* frame) noexcept { ::operator delete(frame); }
};

namespace fake {

/// What a worker does until the scheduler goes: for a thread of its own.
void work();
/// Resumes `n` runnables, waiting for each.
void work(int n);
/// The oldest runnable, for whoever is to run it. Precondition: there is one.
runnable& take();
/// Resumes it on the calling model thread.
void run(runnable& r);
/// Resumes what is left until nothing is: for finally().
void work_off();
/// The calling model thread becomes a worker that runs on behalf of `context`.
void become_worker(scheduler& s, task_context* context) noexcept;
/// Gives a worker something to take that is nothing, so that it does not wait any longer. For workers.
void nudge() noexcept;
/// So many times from now on this worker takes what was woken before what it has forked.
void prefer_woken(unsigned times) noexcept;
inline constexpr unsigned always = ~0u;
/// The next child that this worker would take back lets others have their turn.
void refuse_once() noexcept;
/// Fires the `which`-th timer that was started, if it was and nobody has stopped it.
void fire_timer(int which) noexcept;
/// The same, once it was started.
void await_timer_and_fire(int which) noexcept;
/// From now on there is no memory for a timer.
void refuse_timers() noexcept;
/// The next `n` threads that a blocking pool asks for are given, later ones refused.
void allow_threads(int n) noexcept;
/// Runs as the `which`-th thread that a blocking pool started; returns at once when it starts fewer.
void be_thread(int which);
/// Waits until the `which`-th thread that a blocking pool started has ended.
void await_end(int which) noexcept;
/// Whether the `which`-th thread, or each, was joined if it was started.
bool joined(int which) noexcept;
bool all_joined() noexcept;
/// No more threads will be started: be_thread of those that were not returns.
void no_more_threads() noexcept;

}  // namespace fake
}  // namespace sluice::impl

template <class T, class... Args>
struct std::coroutine_traits<sluice::task<T>, sluice::impl::in_model, Args...> {
  using promise_type = sluice::impl::model_promise<T>;
};
