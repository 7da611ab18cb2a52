#pragma once
// What a program may do when workers start, stop and sleep.

#include <cstddef>
#include <functional>

namespace sluice {

/// Called by the worker's thread, with the worker's number from 0, by several threads at the same time; must not throw, and must not wait.
/// Empty ones cost nothing. No task is current there: what needs a current runtime (spawn, strand s, this_task) throws. The runtime's
/// constructor does not wait for on_start, and one with workers = 0 may start workers later. A simulation, which has no threads of its
/// own, calls none.
struct worker_hooks {
  /// The thread has its name and, with pin_workers, its processor; no task has run on it yet. For thread-local set-up.
  std::function<void(std::size_t worker)> on_start = {};
  /// No task runs on the thread any more.
  std::function<void(std::size_t worker)> on_stop = {};
  /// The worker has nothing to do, and goes to sleep until something comes up or a timer is due, unless it sees work at its last look,
  /// which comes after this call: so the hook may make tasks ready, by an event, say. (Not called for the naps of 50 microseconds that a worker takes
  /// before, while others work.)
  std::function<void(std::size_t worker)> on_park = {};
  /// It is awake again. Called as often as on_park.
  std::function<void(std::size_t worker)> on_unpark = {};
};

}  // namespace sluice
