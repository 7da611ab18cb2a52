// A wait with three parties inside: the thing waited for completes, a canceller comes, a timer fires; and the frame goes
// as soon as the wait is over.
#include <sluice/model/program.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/runtime/gate.hpp>

#include <memory>

namespace {

using namespace sluice::impl;

// One timer as the scheduler has it: stopping and firing exclude each other.
struct fake_timer {
  atomic<int> word{0};  // 0 armed, 1 stopped, 2 fired
  bool stop() noexcept {
    int expected = 0;
    return word.compare_exchange_strong(expected, 1, acq_rel, acquire);
  }
  bool fire() noexcept {
    int expected = 0;
    return word.compare_exchange_strong(expected, 2, acq_rel, acquire);
  }
};

// The steps of timeout_gate around an operation that can be cancelled.
struct timed_wait final : canceller {
  timed_wait(task_context& parent_context, fake_timer& t, atomic<int>& word) noexcept
      : parent(parent_context), timer(t), completed(word) {}

  // await_suspend: the operation is armed last.
  bool begin() noexcept {
    linked = parent.arm(link);
    if (!linked) {
      nested.cancel();
      (void)parties.leave(1);
    }
    if (!nested.arm(operation)) {
      outcome.set(2);
      return !ended(2);
    }
    return !parties.leave(1);
  }
  bool ended(std::uint32_t n) noexcept {
    if (linked && parent.disarm(link)) ++n;
    if (timer.stop()) ++n;
    return parties.leave(n);
  }
  // The operation was completed: its word says so, and this side holds the frame until it has taken the link back.
  void complete() noexcept {
    outcome.set(1);
    if (operation_parties.leave(nested.disarm(operation) ? 2 : 1) && ended(1)) parent.wake();
  }
  void fired() noexcept {  // the timer's word says fired
    expired.set(1);
    nested.cancel();
    parties.leave_and_wake(1, parent);
  }
  void cancel(cancellable& which, cancellation&) noexcept override {
    if (&which == &operation) {
      int expected = 0;
      const bool mine = completed.compare_exchange_strong(expected, 2, acq_rel, acquire);
      if (mine) outcome.set(2);
      if ((mine || operation_parties.leave(1)) && ended(1)) parent.wake();
      return;
    }
    nested.cancel();
    parties.leave_and_wake(1, parent);
  }

  struct no_waker final : waker {
    void wake(runnable&) noexcept override {}
  };
  no_waker nobody;
  task_context& parent;
  fake_timer& timer;
  atomic<int>& completed;  // 0 waiting, 1 completed, 2 cancelled; outlives the frame, as a queue would
  task_context nested{nobody};
  cancellable operation{this};
  cancellable link{this};
  gate parties{4};
  gate operation_parties{2};
  bool linked = false;
  plain<int> outcome{0};
  plain<int> expired{0};
};

struct state {
  thread_context parent;
  fake_timer timer;
  atomic<int> completed_word{0};
  std::unique_ptr<timed_wait> wait = std::make_unique<timed_wait>(parent, timer, completed_word);
  int outcome = 0;
};

void waiter(state& s) {
  const bool suspended = s.wait->begin();
  if (suspended) s.parent.park();
  s.outcome = s.wait->outcome.get();
  (void)s.wait->expired.get();
  s.wait.reset();  // the frame goes
}

// The timer may fire from the start; whoever completes the operation found it armed, so it comes after begin().
void timer_and_canceller(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] { waiter(s); });
  r.thread("timer", [&s, wait = s.wait.get()] {
    if (s.timer.fire()) wait->fired();
  });
  r.thread("canceller", [&s] { s.parent.cancel(); });
  r.finally([&s] { model::check(s.outcome == 2, "The wait was cancelled."); });
}

struct waiting : state {
  waiting() { suspended = wait->begin(); }
  bool suspended = false;
};

void all_three(model::run& r) {
  auto& s = r.make<waiting>();
  auto* wait = s.wait.get();
  r.thread("task", [&s] {
    if (s.suspended) s.parent.park();
    s.outcome = s.wait->outcome.get();
    s.wait.reset();
  });
  r.thread("completion", [&s, wait] {
    int expected = 0;
    if (s.completed_word.compare_exchange_strong(expected, 1, acq_rel, acquire)) wait->complete();
  });
  r.thread("timer", [&s, wait] {
    if (s.timer.fire()) wait->fired();
  });
  r.thread("canceller", [&s] { s.parent.cancel(); });
  r.finally([&s] { model::check(s.outcome == 1 || s.outcome == 2, "The wait ended once."); });
}

const model::program timer_canceller{"gate: a timer and a canceller while the wait begins", {}, timer_and_canceller};
const model::program three{"gate: completion, timer and canceller at once", {}, all_three};

}  // namespace
