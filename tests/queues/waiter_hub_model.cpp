// models: queues/waiter_hub.hpp queues/waiter_hub.cpp queues/task_context.hpp
// The hub alone, below an object of a few lines. What belongs to the runner is plain data here: two runners at a time, or one that has
// not seen what the runner before it wrote, are a data race.
#include <sluice/model/program.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/queues/waiter_hub.hpp>

#include <memory>

namespace {

using namespace sluice::impl;

// Lets everybody through once it was opened.
class latch final : public waiter_hub {
 public:
  latch() noexcept : waiter_hub(&waiters_) {}
  ~latch() {
    seize();
    model::check(waiters_.empty() && rounds_.get() >= 0, "Nobody waits.");
  }

  void open() noexcept { kick(0); }
  void knock() noexcept { kick(1); }  // work for the runner that serves nobody
  void help() noexcept { take_over(); }

 private:
  void kicked(std::uintptr_t bits) noexcept override {
    if ((bits & kick_bit(0)) != 0) open_.set(true);
  }
  void serve() noexcept override {
    rounds_.set(rounds_.get() + 1);
    if (open_.get()) complete_all(waiters_, wait_result::done);
  }

  waiter_list waiters_;
  plain<bool> open_{false};
  plain<int> rounds_{0};
};

struct visitor {
  thread_context context;
  waiter wait{context, 0};
};

struct state {
  std::unique_ptr<latch> gate = std::make_unique<latch>();
  visitor one;
  visitor two;
  plain<int> written{0};
  atomic<bool> over{false};
};

bool pass(latch& gate, visitor& v) {
  if (gate.wait(v.wait, "latch")) v.context.park();
  waiter_hub::resumed(v.wait);
  model::check(v.wait.result != wait_result::none, "A wait that ended has a result.");
  return v.wait.result == wait_result::done;
}

void open_for_two(model::run& r) {
  auto& s = r.make<state>();
  const auto visit = [&s](visitor& v) {
    model::check(pass(*s.gate, v), "The latch was opened.");
    model::check(s.written.get() == 3, "What was written before it was opened is visible.");
  };
  r.thread("first", [&s, visit] { visit(s.one); });
  r.thread("second", [&s, visit] { visit(s.two); });
  r.thread("opener", [&s] {
    s.written.set(3);
    s.gate->open();
  });
}

// The runner is kept busy and hands over to the waiter that it has served; somebody who must not wait for that one takes over.
void heir_or_helper(model::run& r) {
  auto& s = r.make<state>();
  r.thread("waiter", [&s] { model::check(pass(*s.gate, s.one), "The latch was opened."); });
  r.thread("opener", [&s] { s.gate->open(); });
  r.thread("helper", [&s] {
    s.gate->knock();
    s.gate->help();
  });
  r.finally([&s] { model::check(pass(*s.gate, s.two), "The latch is open, and nobody holds it."); });
}

// Only who takes over serves, when the heir is not resumed before the helper is done.
void late_heir(model::run& r) {
  auto& s = r.make<state>();
  r.thread("opener", [&s] { s.gate->open(); });
  r.thread("helper", [&s] {
    s.gate->knock();
    s.gate->help();
    s.over.store(true, relaxed);
  });
  r.thread("waiter", [&s] {
    const bool suspended = s.gate->wait(s.one.wait, "latch");
    while (!s.over.load(relaxed)) yield_thread();  // as if it was queued behind the helper
    if (suspended) s.one.context.park();
    waiter_hub::resumed(s.one.wait);
  });
  r.finally([&s] { model::check(pass(*s.gate, s.two), "The latch is open, and nobody holds it."); });
}

void cancelled_or_open(model::run& r) {
  auto& s = r.make<state>();
  r.thread("waiter", [&s] { pass(*s.gate, s.one); });
  r.thread("canceller", [&s] { s.one.context.cancel(); });
  r.thread("opener", [&s] { s.gate->open(); });
  r.finally([&s] { model::check(pass(*s.gate, s.two), "The latch is open, and nobody holds it."); });
}

// A canceller becomes the runner after others were it.
void cancelled_beside_another(model::run& r) {
  auto& s = r.make<state>();
  r.thread("waiter", [&s] { model::check(!pass(*s.gate, s.one), "Nobody opened the latch."); });
  r.thread("other", [&s] { model::check(!pass(*s.gate, s.two), "Nobody opened the latch."); });
  r.thread("canceller", [&s] {
    s.one.context.cancel();
    s.two.context.cancel();
  });
}

// Two cancellations of one task: one of them takes the wait back.
void cancelled_twice(model::run& r) {
  auto& s = r.make<state>();
  r.thread("waiter", [&s] {
    model::check(!pass(*s.gate, s.one), "Nobody opened the latch.");
    s.gate.reset();
  });
  r.thread("canceller", [&s] { s.one.context.cancel(); });
  r.thread("another", [&s] { s.one.context.cancel(); });
}

// The destructor is the last runner: it sees what the one before it wrote, though nothing else told it.
void destroyed(model::run& r) {
  auto& s = r.make<state>();
  r.thread("runner", [&s] {
    s.gate->knock();
    s.over.store(true, relaxed);
  });
  r.thread("owner", [&s] {
    while (!s.over.load(relaxed)) yield_thread();
    s.gate.reset();
  });
}

struct crowd {
  std::unique_ptr<latch> gate = std::make_unique<latch>();
  visitor visitors[3];
};

// Two are enough: the first is woken before the third is served, and when the last has gone on the latch goes away.
void in_turns(model::run& r) {
  auto& c = r.make<crowd>();
  r.thread("waiters", [&c] {
    bool suspended[3];
    for (int i = 0; i < 3; ++i) suspended[i] = c.gate->wait(c.visitors[i].wait, "latch");
    for (int i = 0; i < 3; ++i) {
      if (suspended[i]) c.visitors[i].context.park();
      waiter_hub::resumed(c.visitors[i].wait);
      model::check(c.visitors[i].wait.result == wait_result::done, "The latch was opened.");
    }
    c.gate.reset();
  });
  r.thread("opener", [&c] { c.gate->open(); });
}

// One of them is cancelled on the way.
void in_turns_or_cancelled(model::run& r) {
  auto& c = r.make<crowd>();
  r.thread("first", [&c] { pass(*c.gate, c.visitors[0]); });
  r.thread("others", [&c] {
    bool suspended[3];
    for (int i = 1; i < 3; ++i) suspended[i] = c.gate->wait(c.visitors[i].wait, "latch");
    for (int i = 1; i < 3; ++i) {
      if (suspended[i]) c.visitors[i].context.park();
      waiter_hub::resumed(c.visitors[i].wait);
    }
  });
  r.thread("opener", [&c] { c.gate->open(); });
  r.thread("canceller", [&c] { c.visitors[0].context.cancel(); });
}

const model::program p1{"hub: kick x wait x wait", {}, open_for_two};
const model::program p2{"hub: the heir x who takes over", {}, heir_or_helper};
const model::program p3{"hub: an heir that is resumed late", {}, late_heir};
const model::program p4{"hub: wait x cancel x kick", {}, cancelled_or_open};
const model::program p5{"hub: two waits cancelled", {}, cancelled_beside_another};
const model::program p6{"hub: cancelled twice, then destroyed", {}, cancelled_twice};
const model::program p7{"hub: destroyed after its last runner", {}, destroyed};
const model::program p8{"hub: three let go in turns", {}, in_turns};
const model::program p9{"hub: three let go in turns x cancel", {}, in_turns_or_cancelled};

}  // namespace
