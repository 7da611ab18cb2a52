// Children of a when_all that run beside each other, fail, or are cancelled.

#include <sluice/runtime/join_scope.hpp>

#include <cstdlib>

namespace sluice::impl {

std::coroutine_handle<> join_line::finished(std::coroutine_handle<>, task_context&) noexcept { std::abort(); }

// The parent's context is no task that this worker runs as such (part of another wait), or may not go on just here: all
// children have lines of their own, and the parent hears of the end through its waker.
std::coroutine_handle<> join_scope::start_apart() noexcept {
  task_context& parent = line();
  parent.handle = self_;
  apart_ = true;
  core_ = &current_core();
  if (!link()) {
    refused_ = true;
    eventful_.store(true, relaxed);
    leave(false);
    parent.wake();
    return std::noop_coroutine();
  }
  parent.note_wait(kind_.name, this);
  ends_.store(1, relaxed);  // relaxed: whoever takes the rest sees it. The parent's own line has ended already.
  join_line& first = begin_line(*fork_lane::current());
  running_task::set(&first);
  return first.handle;
}

task_context* join_scope::begin(chore& self, fork_lane& by) noexcept {
  return &static_cast<join_scope&>(self).begin_line(by);
}

// The rest was taken: the next child begins on a line of its own.
join_line& join_scope::begin_line(fork_lane& lane) noexcept {
  ++splits_;
  eventful_.store(true, relaxed);
  join_child& child = *next_;
  runtime_core& core = apart_ ? *core_ : static_cast<root_context&>(line()).core();
  join_line& beside = child.make_line(*scheduler::current(), core);
  beside.handle = child.frame;
  child.move_to(beside);
  const bool found = hang_up(beside);
  if (!link() || !found) beside.cancel();
  next_ = child.next_child;
  if (next_ != nullptr) lane.fork(*this);
  return beside;
}

bool join_scope::hang_up(join_line& l) noexcept {
  join_line* newest = lines_.load(relaxed);  // relaxed: not looked into
  do {
    if (newest == closed()) return false;
    l.next_line = newest;
  } while (!lines_.compare_exchange_weak(newest, &l, release, relaxed));  // E2 publish
  return true;
}

void join_scope::shut_lines(cancellation& walk) noexcept {
  join_line* at = lines_.exchange(closed(), acquire);  // E2 observe
  while (at != nullptr && at != closed()) {
    join_line& l = *at;
    at = l.next_line;
    l.cancel(walk);
  }
}

void join_scope::decide(join_child& child) noexcept {
  if (kind_.who == decides::nobody) return;
  join_child* expected = nullptr;
  // relaxed: the end of the line hands everything over
  if (!decided_.compare_exchange_strong(expected, &child, relaxed, relaxed)) return;
  eventful_.store(true, relaxed);
  cancellation walk;
  shut_scope(walk);
  shut_lines(walk);
  walk.finish();
}

void join_scope::pass_on(cancellation& walk) noexcept {
  shut_slot(walk);
  shut_lines(walk);
  gate_.leave_and_wake(1, line());
}

std::coroutine_handle<> join_scope::line_ended(task_context& on, bool was_last_child) noexcept {
  const std::uint32_t splits = was_last_child ? splits_ : 0;  // I1
  if (!was_last_child || splits != 0) {
    if (&on == &line()) on.note_wait(kind_.name, this);
    // The last of all needs no read-modify-write if the others have ended.
    if (!was_last_child) {
      if (ends_.fetch_add(1, acq_rel) + 1 != 0) return std::noop_coroutine();        // E1 publish, E1 observe
    } else if (ends_.load(acquire) != splits) {                                      // E1 observe
      if (ends_.fetch_sub(splits, acq_rel) != splits) return std::noop_coroutine();  // E1 publish, E1 observe
    }
  }
  return finish();
}

bool join_scope::check_events() {
  line().note_wait(nullptr, nullptr);
  if (refused_) throw sluice::cancelled{};
  return decided() != nullptr;
}

// All lines have ended.
std::coroutine_handle<> join_scope::finish() noexcept {
  task_context& parent = line();
  parent.handle = self_;
  const bool was_linked = linked();
  const std::uint32_t parties = was_linked && unlink() ? 2 : 1;
  leave(decided() != nullptr);
  if (was_linked && !gate_.leave(parties)) return std::noop_coroutine();  // a canceller wakes the parent
  if (apart_) {
    parent.wake();
    return std::noop_coroutine();
  }
  running_task::set(&parent);
  return self_;
}

}  // namespace sluice::impl
