#include <sluice/runtime/join_scope.hpp>

namespace sluice::impl {

task_context* join_scope::begin(chore& self, fork_lane& by) noexcept {
  return &static_cast<join_scope&>(self).begin_line(by);
}

// The rest was taken: the next child begins on a line of its own.
task_context& join_scope::begin_line(fork_lane& lane) noexcept {
  join_child& child = *next_;
  split_line& beside = child.make_line(home(), core());
  beside.handle = child.frame;
  child.move_to(beside);
  add_line(beside);
  next_ = child.next_child;
  if (next_ != nullptr) lane.fork(*this);
  return beside;
}

std::coroutine_handle<> join_scope::start_apart() noexcept {
  if (!enter_apart()) return std::noop_coroutine();
  if (begins_elsewhere()) {
    fork_lane::current()->submit(*this);
    return std::noop_coroutine();
  }
  task_context& first = begin_line(*fork_lane::current());
  running_task::set(&first);
  return first.handle;
}

}  // namespace sluice::impl
