#include <sluice/scheduler/process.hpp>

#include <pthread.h>

namespace sluice::impl {
namespace {

[[gnu::constructor(101)]] void count_forks() {
  at_fork_in_child([] { ++fork_count; });
}

}  // namespace

void at_fork_in_child(void (*handler)()) {
  if (pthread_atfork(nullptr, nullptr, handler) == 0) return;
  std::fputs("sluice: there is no memory to register a handler for fork().\n", stderr);
  std::abort();
}

}  // namespace sluice::impl
