// The start and the ends of children that run in parallel: what is the same for when_all, when_any and when_all_settled.

#include <sluice/runtime/join_scope.hpp>

namespace sluice::impl {

void join_scope::add(join_child& child) noexcept {
  child.next_child = first_;
  first_ = &child;
}

std::coroutine_handle<> join_scope::start(std::coroutine_handle<> self) noexcept {
  parent_.suspend(self, name_, this);
  if (!parent_.context().arm(link_)) {
    refused_ = true;
    return parent_.not_suspended();
  }
  std::uint32_t count = 0;
  for (join_child* child = first_; child != nullptr; child = child->next_child) {
    child->scope = this;
    ++count;
  }
  children_.store(count, relaxed);  // relaxed: the scheduler hands the children over
  // Forked in reverse, so that the worker takes them in order. The first is not forked: this scope stays until it has run.
  scheduler& here = *scheduler::current();
  join_child* reversed = nullptr;
  for (join_child* child = first_->next_child; child != nullptr; child = child->next_child) {
    child->next = reversed;
    reversed = child;
  }
  while (reversed != nullptr) {
    join_child* child = reversed;
    reversed = static_cast<join_child*>(child->next);
    here.fork(*child);
  }
  scheduler::set_current_task(first_);
  return first_->handle;
}

std::coroutine_handle<> join_scope::child_ended(join_child& child, bool failed) noexcept {
  if (who_ == decides::first_end || (failed && who_ == decides::first_failure)) {
    join_child* expected = nullptr;
    // relaxed: the count-off below hands everything over
    if (decided_.compare_exchange_strong(expected, &child, relaxed, relaxed)) {
      cancellation walk;
      cancel_children(&child, walk);
      walk.finish();
    }
  }
  // The last one needs no read-modify-write.
  if (children_.load(acquire) != 1 && children_.fetch_sub(1, acq_rel) != 1) {  // E1 observe, E1 publish
    return std::noop_coroutine();
  }
  const std::uint32_t parties = parent_.context().disarm(link_) ? 2 : 1;
  return gate_.leave(parties) ? parent_.go_on() : std::noop_coroutine();
}

void join_scope::cancel_children(const join_child* except, cancellation& walk) noexcept {
  for (join_child* child = first_; child != nullptr; child = child->next_child) {
    if (child != except) child->task_context::cancel(walk);
  }
}

void join_scope::pass_on(cancellation& walk) noexcept {
  cancel_children(nullptr, walk);
  gate_.leave_and_wake(1, parent_.context());
}

void join_scope::check() {
  parent_.context().note_wait(nullptr, nullptr);
  if (refused_) throw sluice::cancelled{};
}

}  // namespace sluice::impl
