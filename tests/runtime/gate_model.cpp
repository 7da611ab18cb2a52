// models: runtime/gate.hpp runtime/sleep.hpp runtime/run_blocking.hpp runtime/join_scope.hpp
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
  void cancel(cancellable& which) noexcept override {
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

// The handshake of sleep and run_blocking: what is to be stopped comes after the link was armed, and the canceller may
// come in between.
struct sleeper final : canceller {
  sleeper(thread_context& c, fake_timer& t, atomic<int>& s) noexcept : context(c), timer(t), started(s) {}

  bool begin() noexcept {
    if (!context.arm(link)) return false;
    started.store(1, release);  // from here the timer may fire
    if (phase.exchange(1, acq_rel) == 2) {
      const bool stopped = timer.stop();
      return !parties.leave(stopped ? 2 : 1);
    }
    return !parties.leave(1);
  }
  void fired() noexcept {  // the timer's word says fired
    parties.leave_and_wake(context.disarm(link) ? 2 : 1, context);
  }
  void cancel(cancellable&) noexcept override {
    if (phase.exchange(2, acq_rel) == 0) return parties.leave_and_wake(1, context);
    parties.leave_and_wake(timer.stop() ? 2 : 1, context);
  }

  thread_context& context;
  fake_timer& timer;
  cancellable link{this};
  gate parties{3};
  atomic<int> phase{0};
  atomic<int>& started;  // the timer is there; outlives the frame, as the scheduler's timer does
};

void sleep_and_cancel(model::run& r) {
  struct sleeping {
    thread_context context;
    fake_timer timer;
    atomic<int> started{0};
    std::unique_ptr<sleeper> in = std::make_unique<sleeper>(context, timer, started);
  };
  auto& s = r.make<sleeping>();
  r.thread("task", [&s] {
    if (s.in->begin()) s.context.park();
    s.in.reset();
  });
  r.thread("canceller", [&s] { s.context.cancel(); });
}

void sleep_fires_and_cancel(model::run& r) {
  struct sleeping {
    thread_context context;
    fake_timer timer;
    atomic<int> started{0};
    std::unique_ptr<sleeper> in = std::make_unique<sleeper>(context, timer, started);
  };
  auto& s = r.make<sleeping>();
  r.thread("task", [&s] {
    if (s.in->begin()) s.context.park();
    s.in.reset();
  });
  r.thread("timer", [&s, in = s.in.get()] {
    if (s.started.load(acquire) == 1 && s.timer.fire()) in->fired();
  });
  r.thread("canceller", [&s] { s.context.cancel(); });
}

// when_all: two children count themselves off, the last one takes the link back.
void children_and_canceller(model::run& r) {
  struct scope final : canceller {
    explicit scope(thread_context& c) noexcept : context(c) {}
    void child(int which) noexcept {
      results[which].set(which + 1);
      if (children.load(acquire) != 1 && children.fetch_sub(1, acq_rel) != 1) return;
      parties.leave_and_wake(context.disarm(link) ? 2 : 1, context);
    }
    void cancel(cancellable&) noexcept override { parties.leave_and_wake(1, context); }
    thread_context& context;
    cancellable link{this};
    gate parties{2};
    atomic<std::uint32_t> children{2};
    plain<int> results[2];
  };
  struct shared {
    shared() { (void)context.arm(in->link); }
    thread_context context;
    std::unique_ptr<scope> in = std::make_unique<scope>(context);
    int sum = 0;
  };
  auto& s = r.make<shared>();
  auto* in = s.in.get();
  r.thread("task", [&s] {
    s.context.park();
    s.sum = s.in->results[0].get() + s.in->results[1].get();
    s.in.reset();
  });
  r.thread("first", [in] { in->child(0); });
  r.thread("second", [in] { in->child(1); });
  r.thread("canceller", [&s] { s.context.cancel(); });
  r.finally([&s] { model::check(s.sum == 3, "Both results are there."); });
}

const model::program timer_canceller{"gate: a timer and a canceller while the wait begins", {}, timer_and_canceller};
const model::program three{"gate: completion, timer and canceller at once", {}, all_three};
const model::program sleeping{"gate: a canceller before there is a timer", {}, sleep_and_cancel};
const model::program firing{"gate: a timer that fires while a canceller comes", {}, sleep_fires_and_cancel};
const model::program children{"gate: two children and a canceller", {}, children_and_canceller};

}  // namespace
