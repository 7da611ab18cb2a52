// Children that run beside each other, fail, or are cancelled.

#include <sluice/runtime/split_scope.hpp>

#include <sluice/runtime/nested.hpp>

#include <cstdlib>

namespace sluice::impl {

std::coroutine_handle<> split_line::finished(std::coroutine_handle<>, task_context&) noexcept { std::abort(); }

bool split_scope::enter_apart() noexcept {
  task_context& parent = line();
  parent.handle = self_;
  apart_ = true;
  core_ = &current_core();
  home_ = begins_elsewhere() ? static_cast<waker*>(scheduler::current()) : &running_task::get()->current_waker();
  if (!link()) {
    refused_ = true;
    eventful_.store(true, relaxed);
    leave(false);
    parent.wake();
    return false;
  }
  parent.note_wait(kind_.name, this);
  ends_.store(1, relaxed);  // relaxed: whoever takes the rest sees it. The parent's own line has ended already.
  return true;
}

void split_scope::add_line(split_line& beside) noexcept {
  ++splits_;
  eventful_.store(true, relaxed);
  const bool found = hang_up(beside);
  if (!link() || !found) beside.cancel();
}

bool split_scope::hang_up(split_line& l) noexcept {
  split_line* newest = lines_.load(relaxed);  // relaxed: not looked into
  do {
    if (newest == closed()) return false;
    l.next_line = newest;
  } while (!lines_.compare_exchange_weak(newest, &l, release, relaxed));  // E2 publish
  return true;
}

void split_scope::shut_lines(cancellation& walk) noexcept {
  split_line* at = lines_.exchange(closed(), acquire);  // E2 observe
  while (at != nullptr && at != closed()) {
    split_line& l = *at;
    at = l.next_line;
    l.cancel(walk);
  }
}

bool split_scope::decide(frame_owner& child) noexcept {
  if (kind_.who == decides::nobody) return false;
  frame_owner* expected = nullptr;
  // relaxed: the end of the line hands everything over
  if (!decider_.compare_exchange_strong(expected, &child, relaxed, relaxed)) return false;
  eventful_.store(true, relaxed);
  cancellation walk;
  shut_scope(walk);
  shut_lines(walk);
  walk.finish();
  return true;
}

void split_scope::pass_on(cancellation& walk) noexcept {
  shut_slot(walk);
  shut_lines(walk);
  gate_.leave_and_wake(1, line());
}

task_context* split_scope::line_ended(task_context& on, bool was_last_child) noexcept {
  const std::uint32_t splits = was_last_child ? splits_ : 0;  // I1
  const bool here = on.current_waker().roams();
  if (&on == &line()) on.set_waker(*home_);  // I6
  if (was_last_child && splits == 0) return finish(here);
  if (&on == &line()) on.note_wait(kind_.name, this);
  if (was_last_child) return others_ended(splits) ? finish(here) : nullptr;
  // E1 publish, E1 observe
  return ends_.fetch_add(1, acq_rel) + 1 == 0 ? finish(here) : nullptr;
}

task_context* split_scope::rest_ended() noexcept { return others_ended(splits_ + 1) ? finish(true) : nullptr; }

// For who has held the rest: that so many lines end, or have ended. The last of all needs no read-modify-write.
bool split_scope::others_ended(std::uint32_t lines) noexcept {
  return ends_.load(acquire) == lines || ends_.fetch_sub(lines, acq_rel) == lines;  // E1 observe, E1 publish
}

bool split_scope::check_events() {
  line().note_wait(nullptr, nullptr);
  if (refused_) throw sluice::cancelled{};
  return decider() != nullptr;
}

// All lines have ended, the last on this worker; `here`: where the parent's line may go on at once.
task_context* split_scope::finish(bool here) noexcept {
  task_context& parent = line();
  parent.handle = self_;
  const bool was_linked = linked();
  const std::uint32_t parties = was_linked && unlink() ? 2 : 1;
  leave(decider() != nullptr);
  if (was_linked && !gate_.leave(parties)) return nullptr;  // a canceller wakes the parent
  if (apart_ || !here) {
    parent.wake();
    return nullptr;
  }
  running_task::set(&parent);
  return &parent;
}

}  // namespace sluice::impl
