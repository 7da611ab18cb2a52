#pragma once
// Parallel calls on a thread's own stack: the part of a worker that fork_join (runtime/fork_join.hpp) needs at hand. The
// second of two calls is a job in the frame of the one that forks it, and lies in the fork deque beside forked coroutines.
//
//             fork                    take_back
//   (a frame) ----> in the deque -----------------------> called here, in the ordinary way
//                      \--- steal ---> a thief calls it --- done ---> the owner goes on
//                                       forked --(the owner is about to sleep)--> awaited --done, wake--/
//
// I1  A job stays where it is until it was taken back, or is done: whoever forks it does not leave before. After `done` was
//     published the thief does not touch it any more.
// I2  Between fork and take_back of a job the owner takes back or awaits all that it forks after it, and forks no coroutine.
//     So take_back finds the job, or nothing: then it was stolen, and so was everything older.
// I3  A worker that waits for a stolen job runs only parts of that job: it steals from the job's thief alone, whose deque was empty
//     when it took the job, and only what lay there before the job was done ("leapfrogging", Wagner and Calder, PPoPP
//     1993). So a lock that is held across a fork_join never meets a stranger on the same stack, and the
//     stack is no deeper than that of the calls made one after another. What it took it could not put aside: whoever forked
//     that waits for it, perhaps with a lock that this worker wants next (the model found it).
// I4  Of open jobs the oldest few are public, until they are stolen: a call may compute for long without forking, and who becomes
//     free meanwhile cannot ask it. So the outermost of nested forks cost two read-modify-writes, and those within them none.
// E1  done (release) -> await (acquire): all that the job did. (The way there is E1 of the deque.)

#include <sluice/queues/atomic.hpp>
#include <sluice/queues/task_context.hpp>
#include <sluice/scheduler/fork_deque.hpp>

#include <cstdint>

namespace sluice::impl {

class fork_lane;

/// A call that may run on another thread. As a runnable it has no coroutine: that is how a worker knows it.
class native_job : public runnable {
 public:
  native_job(const native_job&) = delete;
  native_job& operator=(const native_job&) = delete;

 protected:
  explicit native_job(void (*call)(native_job&) noexcept) noexcept : call_(call) {}
  ~native_job() = default;

 private:
  friend class fork_lane;

  static constexpr std::uint32_t forked = 0;
  static constexpr std::uint32_t awaited = 1;
  static constexpr std::uint32_t done = 2;

  void (*call_)(native_job&) noexcept;
  task_context* on_behalf_ = nullptr;    // the task that forks it
  atomic<fork_lane*> thief_{nullptr};    // written by the thief; relaxed: a hint where to look for parts of the job
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
  static fork_lane* current() noexcept { return current_; }

  // For the thread whose lane it is.
  /// Offers `job` to thieves. False: there is no memory for it, and nothing has happened.
  [[nodiscard]] bool fork(native_job& job) noexcept {
    job.on_behalf_ = running_;
    if (!forks_.push(&job)) [[unlikely]]
      return false;
    if (forks_.wanted() || forks_.hides(kept_public)) [[unlikely]]  // I4
      offer();
    return true;
  }
  /// Takes the newest job back that was forked. False: it was stolen, and is to be awaited.
  [[nodiscard]] bool take_back() noexcept { return forks_.pop() != nullptr; }  // I2
  /// Waits until the stolen `job` is done, running parts of it meanwhile.
  void await(native_job& job) noexcept;
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
  fork_lane() = default;
  ~fork_lane() = default;

  /// Runs a job that was stolen.
  void run_job(native_job& job) noexcept;

  /// Makes the oldest jobs public, if there is anybody to take them.
  virtual void offer() noexcept = 0;
  /// Somebody is hungry: makes forked children public, and wakes a sleeper for them.
  virtual void feed_thieves() noexcept = 0;

  static inline thread_local constinit fork_lane* current_ = nullptr;
  static inline thread_local constinit task_context* running_ = nullptr;  // the task that this thread runs

  static constexpr std::uint32_t kept_public = 4;  // I4

  // Small in a model build: what happens when it is full is within reach.
  fork_deque<runnable> forks_{model_build ? 2 : 256};

 private:
  bool help(native_job& job) noexcept;

  static constexpr unsigned looks_before_sleep = model_build ? 1 : 200;
  static constexpr auto shortest_sleep = std::chrono::microseconds(50);
  static constexpr auto longest_sleep = std::chrono::microseconds(1000);
};

}  // namespace sluice::impl
