#pragma once
// How the children of a when_all run in parallel: on their parent's line of execution, until somebody else is free.
//
// The children run one after another, as if the parent called them. What has not begun, the `rest`, lies in the worker's fork deque
// meanwhile. Whoever takes it from there, a thief or this worker once a child has suspended, begins the next child on a
// line of its own, and leaves the rest in its own deque. So a line is begun only where execution really forks; when nothing
// is stolen and nothing waits, a when_all makes no context and no read-modify-write.
//
//   parent's line   |-- child 0 --|-- child 1 --| (the rest was taken)                    ... goes on
//   a thief's line                         |-- child 2 --|-- child 3 --| last of all ------^
//
// (What is stolen is the continuation of the loop over the children, as in Cilk: Frigo, Leiserson and Randall, "The implementation of
// the Cilk-5 multithreaded language", PLDI 1998. That the ends are counted by one atomic number, which who has begun the last
// child corrects by how many lines there are, is libfork's idea: Williams and Elliott, 2024.)
//
// I1  Who holds the rest, in its hands or in its deque, alone touches splits_. There is one rest.
// I2  Each line ends once: when a child has ended on it and the rest is not to be had, or was all begun. ends_ counts those that
//     ended before the last child had begun to end, less the number of lines then: who brings it to zero is the last.
// I3  The child that decides (the first to fail, or the first to end) cancels its siblings before its line ends, so all
//     of them still exist; those that have not begun will begin cancelled, or not at all.
// I4  A line hangs in lines_ before its child begins, unless that is closed: then it begins cancelled. Likewise if the scope cannot be
//     linked.
// I5  decider_ is set once.
// I6  All lines go on where the parent does (home_: another lane, say), if that is on any worker. A child may move the line that it
//     runs on (resume_on): then no other child begins there, and the parent's line moves back before the parent goes on.
// E1  the end of a line (release) -> the last end (acquire): every result.
// E2  a line is hung up (release) -> who cancels the scope (acquire): the line as it was made.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/gate.hpp>
#include <sluice/runtime/root_context.hpp>
#include <sluice/scheduler/fork_lane.hpp>

#include <coroutine>
#include <cstdint>

namespace sluice::impl {

/// Which child decides: cancels the others, and gives the answer.
enum class decides : std::uint8_t { first_failure, first_end, nobody };

struct split_kind {
  const char* name;  // for dumps
  decides who;
};

/// A line of execution beside the parent's. It owns no frame: the children do that.
class split_line final : public root_context {
 public:
  using root_context::root_context;
  std::coroutine_handle<> finished(std::coroutine_handle<>, task_context&) noexcept override;

  split_line* next_line = nullptr;
};

/// Where the children come from is for a derived class to know.
class split_scope : public chore, public cancel_scope {
 public:
  bool refuse() noexcept {
    if (!line().cancelled()) [[likely]]
      return false;
    refused_ = true;
    eventful_.store(true, relaxed);
    return true;
  }
  /// For await_resume: throws cancelled when nothing was started. False: all went by without an event, and nobody has decided.
  bool check() { return eventful_.load(relaxed) && check_events(); }

  using cancel_scope::line;

 protected:
  split_scope(task_context& parent, const split_kind& kind, begin_function begin) noexcept
      : chore(begin), cancel_scope(parent), kind_(kind) {}
  ~split_scope() = default;

  const split_kind& kind() const noexcept { return kind_; }
  /// The child that decided, or null. relaxed: to be sure it must have ended
  frame_owner* decider() const noexcept { return decider_.load(relaxed); }

  /// The parent waits. True: its line runs here, and may begin the first child.
  bool enter_directly(std::coroutine_handle<> self) noexcept {
    self_ = self;
    home_ = &line().current_waker();
    enter();
    return running_task::get() == &line() && home_->roams();
  }
  /// After enter_directly has said no: the parent's context is no task that this worker runs as such (part of another wait), or may
  /// not go on just here. So it takes no part, and hears of the end through its waker. False: it was cancelled, and nothing begins.
  [[nodiscard]] bool enter_apart() noexcept;
  /// After that: the first child may not begin here, in the parent's stead; the rest is to go to whoever is free.
  static bool begins_elsewhere() noexcept { return !running_task::get()->current_waker().roams(); }

  /// The rest was taken, and a child will begin on `beside`. For who holds the rest.
  void add_line(split_line& beside) noexcept;
  waker& home() const noexcept { return *home_; }
  /// I6: a child that has ended on `on` has moved it.
  bool was_moved(task_context& on) const noexcept { return &on.current_waker() != home_; }
  runtime_core& core() const noexcept { return apart_ ? *core_ : static_cast<root_context&>(line()).core(); }

  /// A child of this scope may decide. True: it does, and has cancelled its siblings.
  bool decide(frame_owner& child) noexcept;

  /// Nothing was begun beside the parent's line, nothing waited, nobody has decided, and the line was not moved.
  bool uneventful() const noexcept { return !eventful_.load(relaxed) && !linked() && !was_moved(line()); }
  /// The last child has ended without an event: the parent goes on.
  std::coroutine_handle<> leave_uneventful() noexcept {
    leave(false);
    return self_;
  }
  /// A child has ended on `on`, and no other begins there. `was_last_child`: all of the rest was begun. The parent, if it goes on
  /// here, or null: then this scope may be gone.
  task_context* line_ended(task_context& on, bool was_last_child) noexcept;
  /// A child has moved the line `on`, and the rest, which is in this worker's hands, is not begun there: it goes to whoever is free.
  task_context* moved_line_ended(fork_lane& lane, task_context& on) noexcept {
    lane.submit(*this);
    return line_ended(on, false);
  }
  /// Who holds the rest begins none of it, and has no line in this scope. As above.
  task_context* rest_ended() noexcept;
  /// Who goes on, as a coroutine.
  static std::coroutine_handle<> to_resume(task_context* next) noexcept {
    return next == nullptr ? std::noop_coroutine() : next->handle;
  }

 private:
  void pass_on(cancellation& walk) noexcept override;
  bool hang_up(split_line& l) noexcept;
  void shut_lines(cancellation& walk) noexcept;
  bool others_ended(std::uint32_t lines) noexcept;
  bool check_events();
  task_context* finish(bool here) noexcept;
  static split_line* closed() noexcept { return reinterpret_cast<split_line*>(std::uintptr_t{1}); }

  const split_kind& kind_;
  std::coroutine_handle<> self_;
  waker* home_ = nullptr;                  // I6; set when the parent waits
  std::uint32_t splits_ = 0;               // I1: lines that were begun beside the parent's
  atomic<std::uint32_t> ends_{0};          // I2; written by lines that end
  atomic<frame_owner*> decider_{nullptr};  // null, then the child that decides; written by it, all accesses relaxed
  // those beside the parent's, newest first, or closed(); written by who begins one and who cancels
  atomic<split_line*> lines_{nullptr};
  gate gate_{2};  // the children, and the link if there is one
  // Anything but children that ran one after another and were not asked for more; all accesses relaxed: E1.
  atomic<bool> eventful_{false};
  bool apart_ = false;  // the parent's line takes no part
  bool refused_ = false;
  runtime_core* core_;  // if apart
};

}  // namespace sluice::impl
