#pragma once
// Symmetric transfer that never grows the stack.
//
// clang turns `return handle` from await_suspend into a tail call at every level of optimisation; g++
// does so only at -O2 and never under its sanitizers. There the handle is left for the worker loop instead, and
// costs one return and one indirect call more.

#include <coroutine>
#include <utility>

namespace sluice::impl {

#if defined(__clang__)

inline std::coroutine_handle<> transfer(std::coroutine_handle<> next) noexcept { return next; }
inline void resume(std::coroutine_handle<> first) { first.resume(); }

#else

inline thread_local constinit std::coroutine_handle<> pending_transfer{};

inline std::coroutine_handle<> transfer(std::coroutine_handle<> next) noexcept {
  pending_transfer = next;
  return std::noop_coroutine();
}

inline void resume(std::coroutine_handle<> first) {
  auto next = first;
  while (next) {
    next.resume();
    next = std::exchange(pending_transfer, {});
  }
}

#endif

}  // namespace sluice::impl
