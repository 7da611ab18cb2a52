#pragma once
// Notices fork(). Its child has a copy of all memory and one thread, the one that called fork(); so what was made before has lost its
// threads there, and says so instead of waiting for them.
//
// I1  fork_count changes in a child only, before fork() returns there: the child has one thread then, and starts all others
//     later. So it is no atomic.
// Not noticed: vfork(), _Fork() and a bare clone(), which call no handlers; what they make may only call exec or _exit anyway.

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace sluice::impl {

/// How many forks lie between the start of the program and this process, or more.
inline constinit unsigned fork_count = 0;

/// Remembers the process that it was made in.
class process_stamp {
 public:
  /// Whether a fork() has copied it into another process.
  bool in_child() const noexcept { return made_at_ != fork_count; }

 private:
  unsigned made_at_ = fork_count;
};

/// From now on every child calls `handler` before fork() returns there. Handlers are called in the order of these calls, and find
/// the locks of other threads as these have left them. To be called before main, by a constructor of priority 101, which
/// comes before all those that have none: so whatever makes a runtime or forks comes later. Without memory: says so and aborts.
void at_fork_in_child(void (*handler)());

inline constexpr const char* made_before_fork =
    "sluice: this runtime was made before fork(), whose child has none of its threads: make runtimes after fork(), or "
    "call exec or _exit in the child";

[[noreturn]] inline void throw_made_before_fork() { throw std::logic_error(made_before_fork); }
[[noreturn]] inline void abort_made_before_fork() noexcept {
  std::fprintf(stderr, "%s.\n", made_before_fork);
  std::abort();
}

}  // namespace sluice::impl
