#pragma once
// Symmetric transfer that never grows the stack.
//
// clang turns `return handle` from await_suspend into a tail call at every level of optimisation; g++
// does so only at -O2 and never under its sanitizers. Code compiled by g++ leaves the handle for the worker loop instead, which
// costs one return and one indirect call more.
//
// A library compiled by one compiler serves programs compiled by the other, so the loop always looks for a handle
// that was left, and transfer is inlined into its caller, where it does what the caller's compiler needs. So transfer
// is called by await_suspend in headers only, once; what is compiled into the library hands plain handles to it.

#include <sluice/queues/atomic.hpp>

#include <coroutine>

namespace sluice::impl {

/// What is to go on next on this thread, when the coroutine that runs has returned to the loop.
using pending_transfer = per_thread<struct pending_transfer_tag, std::coroutine_handle<>>;

[[gnu::always_inline]] inline std::coroutine_handle<> transfer(std::coroutine_handle<> next) noexcept {
#if defined(__clang__)
  return next;
#else
  pending_transfer::set(next);
  return std::noop_coroutine();
#endif
}

inline void resume(std::coroutine_handle<> first) {
  first.resume();
  while (const std::coroutine_handle<> next = pending_transfer::get()) {
    pending_transfer::set({});
    next.resume();
  }
}

}  // namespace sluice::impl
