#pragma once
// The part of a worker that forks: what waits in its fork deque, and whether that is taken back or stolen.
//
// In the deque lie suspended coroutines, and chores: runnables without a coroutine, of which whoever takes one asks what to do.
//   the rest of a when_all   (runtime/join_scope.hpp): the children that have not begun
//   a native_call             the second call of a fork_join (runtime/fork_join.hpp), in the frame of the one that forks it
//
//             fork                    take_back
//   (a frame) ----> in the deque -----------------------> called here, in the ordinary way
//                      \--- steal ---> a thief calls it --- done ---> the owner goes on
//                                       forked --(the owner is about to sleep)--> awaited --done, wake--/
//
// I1  A native call stays where it is until it was taken back, or is done: whoever forks it does not leave before. After `done` was
//     published the thief does not touch it any more.
// I2  Between fork and take_back of a native call the owner takes back or awaits all that it forks after it, and forks no coroutine.
//     So take_back finds the call, or nothing: then it was stolen, and so was everything older.
// I3  A worker that waits for a stolen call runs only parts of it: it steals from the call's thief alone, whose deque was empty
//     when it took it, and only what lay there before the call was done ("leapfrogging", Wagner and Calder, PPoPP
//     1993). So a lock that is held across a fork_join never meets a stranger on the same stack, and the
//     stack is no deeper than that of the calls made one after another. What it took it could not put aside: whoever forked
//     that waits for it, perhaps with a lock that this worker wants next (the model found it).
// I4  Of open native calls the oldest few are public, until they are stolen: a call may compute for long without forking, and who
//     becomes free meanwhile cannot ask it. So the outermost of nested forks cost two read-modify-writes, and those within
//     them none.
// E1  done (release) -> await (acquire): all that the call did. (The way there is E1 of the deque.)

#include <sluice/queues/atomic.hpp>
#include <sluice/queues/task_context.hpp>
#include <sluice/scheduler/fork_deque.hpp>
#include <sluice/scheduler/process.hpp>
#include <sluice/scheduler/running.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice::impl {

class fork_lane;

/// Something to do that is no suspended coroutine: a worker knows it by the handle that is missing.
class chore : public runnable {
 public:
  chore(const chore&) = delete;
  chore& operator=(const chore&) = delete;

 protected:
  /// Called once by the thread that takes it, whose lane is `by`. Gives the task that goes on there now, or null: all is done.
  using begin_function = task_context* (*)(chore&, fork_lane& by) noexcept;

  explicit chore(begin_function begin) noexcept : begin_(begin) {}
  ~chore() = default;

 private:
  friend fork_lane;
  begin_function begin_;
};

/// A call that may run on another thread.
class native_call : public chore {
 protected:
  explicit native_call(void (*call)(native_call&) noexcept) noexcept : chore(&begin), call_(call) {}
  ~native_call() = default;

 private:
  friend fork_lane;

  static constexpr std::uint32_t forked = 0;
  static constexpr std::uint32_t awaited = 1;
  static constexpr std::uint32_t done = 2;

  static task_context* begin(chore& self, fork_lane& by) noexcept;

  void (*call_)(native_call&) noexcept;
  task_context* on_behalf_ = nullptr;    // the task that forks it
  atomic<fork_lane*> thief_{nullptr};    // written by the thief; relaxed: a hint where to look for parts of the call
  atomic<std::uint32_t> state_{forked};  // forked | awaited | done; see above
};

/// Something that others should know soon, and that orders nothing: relaxed.
class hint {
 public:
  void raise() noexcept { raised_.store(1, relaxed); }
  bool raised() const noexcept { return raised_.load(relaxed) != 0; }

 private:
  atomic<std::uint32_t> raised_{0};  // 0 | 1
};

class fork_lane {
 public:
  fork_lane(const fork_lane&) = delete;
  fork_lane& operator=(const fork_lane&) = delete;

  /// The lane of the worker that this thread is, or null.
  static fork_lane* current() noexcept { return current_lane::get(); }
  /// Its number among those of its scheduler.
  std::size_t index() const noexcept { return index_; }

  // For the thread whose lane it is.
  /// Offers `r`, to be taken back, run later, or stolen.
  void fork(runnable& r) noexcept {
    if (!forks_.push(&r)) [[unlikely]]
      return put_aside(r);
    feed_the_hungry();
  }
  /// A new task: to the back of what is ready here.
  virtual void submit(runnable& r) noexcept = 0;
  /// Takes `r` back, if it is the newest. False: it was taken, or other tasks shall have their turn before.
  [[nodiscard]] bool take_back(runnable& r) noexcept {
    if (--turns_ == 0 && !may_go_on()) [[unlikely]]
      return false;
    return forks_.pop_if(&r);
  }

  /// Resumes `task`, as the worker's loop does: for chores that run tasks themselves. False: others shall have their turn before
  /// another task of the chore's.
  [[nodiscard]] virtual bool run_slice(task_context& task) noexcept = 0;
  /// The running task has used its slice up: whether anybody waits for a turn. False: another slice has begun.
  virtual bool others_wait() noexcept = 0;

  /// Offers `call` to thieves. False: there is no memory for it, and nothing has happened.
  [[nodiscard]] bool fork_call(native_call& call) noexcept {
    call.on_behalf_ = running_task::get();
    if (!forks_.push(&call)) [[unlikely]]
      return false;
    if (forks_.wanted() || forks_.hides(kept_public)) [[unlikely]]  // I4
      offer();
    return true;
  }
  /// Takes the newest call back that was forked. False: it was stolen, and is to be awaited.
  [[nodiscard]] bool take_call_back() noexcept { return forks_.pop() != nullptr; }  // I2
  /// Waits until the stolen `call` is done, running parts of it meanwhile.
  void await(native_call& call) noexcept;
  /// Whether anything that was forked here is left.
  bool has_forks() const noexcept { return !forks_.empty(); }
  /// Whether so much is left that more would not be public at once.
  bool has_enough_forks() const noexcept { return forks_.size() >= kept_public; }
  /// Offers what is forked here to thieves that have asked: for calls that take long without forking.
  void feed_the_hungry() noexcept {
    if (forks_.wanted()) [[unlikely]]
      feed_thieves();
  }

 protected:
  explicit fork_lane(std::size_t index) noexcept : index_(index) {}
  ~fork_lane() = default;

  using current_lane = per_thread<struct current_lane_tag, fork_lane*>;

  /// What is to be done about a chore that was taken.
  task_context* begin(chore& taken) noexcept { return taken.begin_(taken, *this); }

  /// Makes the oldest jobs public, if there is anybody to take them.
  virtual void offer() noexcept = 0;
  /// Somebody is hungry: makes forked children public, and wakes a sleeper for them.
  virtual void feed_thieves() noexcept = 0;
  /// There is no memory in the deque: keeps `r` elsewhere.
  virtual void put_aside(runnable& r) noexcept = 0;
  /// Much was taken back, one after another: sets turns_, and says whether nobody else waits for a turn.
  virtual bool may_go_on() noexcept = 0;

  static constexpr std::uint32_t kept_public = 4;  // I4

  const std::size_t index_;
  // Small in a model build: what happens when it is full is within reach.
  fork_deque<runnable> forks_{model_build ? 2 : 256};
  std::uint32_t turns_ = 1;  // so many are taken back until somebody looks whether others wait

 private:
  friend native_call;
  void run_call(native_call& call) noexcept;
  bool help(native_call& call) noexcept;

  const process_stamp made_in_;

  static constexpr unsigned looks_before_sleep = model_build ? 1 : 200;
  static constexpr auto shortest_sleep = std::chrono::microseconds(50);
  static constexpr auto longest_sleep = std::chrono::microseconds(1000);
};

}  // namespace sluice::impl
