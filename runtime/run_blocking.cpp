// The handshake of a call with its cancellation: what is the same for every type.

#include <sluice/runtime/run_blocking.hpp>

#include <sluice/runtime/runtime_core.hpp>

namespace sluice::impl {

bool blocking_wait::await_suspend(std::coroutine_handle<> self) {
  if (core_.sched().simulated()) {
    call();
    return false;
  }
  context_.handle = self;
  context_.note_wait("run_blocking", this);
  if (!context_.arm(link_)) {
    cancelled_ = true;
    return false;
  }
  try {
    core_.blocking().submit(*this);
  } catch (...) {
    // No thread at all: what waits is withdrawn, the exception goes to the caller as soon as a canceller has let go.
    if (context_.disarm(link_)) throw;
    cancelled_ = true;
    return !gate_.leave(2);
  }
  if (phase_.exchange(queued, relaxed) != asked) return !gate_.leave(1);
  cancelled_ = core_.blocking().withdraw(*this);
  return !gate_.leave(cancelled_ ? 2 : 1);
}

void blocking_wait::run() noexcept {
  call();
  gate_.leave_and_wake(context_.disarm(link_) ? 2 : 1, context_);
}

void blocking_wait::cancel(cancellable&, cancellation&) noexcept {
  if (phase_.exchange(asked, relaxed) == starting) return gate_.leave_and_wake(1, context_);
  const bool withdrawn = core_.blocking().withdraw(*this);
  if (withdrawn) cancelled_ = true;
  gate_.leave_and_wake(withdrawn ? 2 : 1, context_);
}

void blocking_wait::check() {
  context_.note_wait(nullptr, nullptr);
  if (cancelled_) throw sluice::cancelled{};
}

}  // namespace sluice::impl
