#pragma once
// The opt-out of forced steps back, for a single task.

#include <sluice/runtime/timeout.hpp>

namespace sluice {
namespace impl {

template <class T>
class [[nodiscard]] unconstrained_operation {
 public:
  explicit unconstrained_operation(task<T>&& t) noexcept : task_(std::move(t)) {}
  // A timeout that never comes: a root of its own, to which the caller's cancellation is passed on.
  timeout_task_awaiter<T, false> bind(task_context& parent) && {
    return {std::move(task_), time_point::max(), false, parent};
  }

 private:
  task<T> task_;
};

}  // namespace impl

/// Runs the task without ever making it step back, however many of its waits are over at once
/// (runtime_options::ready_budget): for work that is short, or that must not be interleaved with what else is ready. It
/// still suspends where it has to wait; children of its groups, and what other workers take of its when_alls, step back as usual. Result, exceptions and
/// cancellation are as for co_await of the task itself; entered in an already cancelled task it throws sluice::cancelled.
template <class T>
impl::unconstrained_operation<T> unconstrained(task<T> t) {
  impl::task_access::check(t);
  return impl::unconstrained_operation<T>(std::move(t));
}

}  // namespace sluice
