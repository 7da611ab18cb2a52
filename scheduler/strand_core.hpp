#pragma once
// A strand: tasks that run one at a time, on whatever worker, in the order in which they became runnable.
//
// The strand itself is something to run, a chore: while any of its tasks is ready it is in some queue of the scheduler, or in the hands
// of one worker, which resumes some of its tasks and then puts it behind what else is ready. (The idea is that of Asio's strand;
// here without a lock.)
//
//   word_:   idle      nothing is ready, nobody has the strand
//            busy      it is queued, or a worker has it; nothing new
//            a task    the same, and this has become ready, the newest of a list
//            orphaned  as busy, but its owner has gone: whoever has it frees it
//
//            wake                              wake
//   idle ----------> busy + tasks <----------------------------- busy --- abandon ---> orphaned
//     ^                    \------- the worker takes them -------> |
//     +------------------------- none is left --------------------+
//
// I1  Who moves the word from idle hands the strand to the scheduler; who has the strand alone touches line_.
// I2  After the word was moved to idle the strand may be gone.
// I3  A strand is abandoned when no task is on it any more: for its owner to see to. A task that is ready then is found.
// E1  wake (release) -> the worker that takes the list (acquire): the tasks.
// E2  the last worker moves the word to idle (release) -> the wake that moves it on, or abandon (acquire): what the strand's tasks
//     did is seen by those that come after, and line_.
// Between two workers that have the strand one after another it passes through a queue of the scheduler, whose edge that is.

#include <sluice/queues/task_context.hpp>
#include <sluice/scheduler/fork_lane.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <cstdint>

namespace sluice::impl {

class strand_core final : public chore, public waker {
 public:
  explicit strand_core(scheduler& home) noexcept : chore(&begin), waker(false), home_(home) {}

  /// `r` has become ready. Any thread.
  void wake(runnable& r) noexcept override;

  /// The owner goes, and the strand with it, at once or when the worker that has it lets go. Aborts if a task of it is ready.
  void abandon() noexcept;

  scheduler& home() const noexcept { return home_; }

 private:
  ~strand_core() = default;

  static task_context* begin(chore& self, fork_lane& by) noexcept;
  bool take_list() noexcept;

  static constexpr std::uintptr_t idle = 0;
  static constexpr std::uintptr_t busy = 1;
  static constexpr std::uintptr_t orphaned = 2;
  static bool is_task(std::uintptr_t word) noexcept { return word > orphaned; }

  // So many are resumed at most, each of which counts as a step of the worker, before others there have their turn.
  static constexpr int turn = model_build ? 1 : 16;

  scheduler& home_;
  runnable* line_ = nullptr;           // I1: what was taken out of the word, oldest first
  atomic<std::uintptr_t> word_{idle};  // written by whoever wakes a task, by who has the strand, and by abandon
};

}  // namespace sluice::impl
