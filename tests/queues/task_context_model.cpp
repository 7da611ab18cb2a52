// models: queues/task_context.hpp queues/task_context.cpp queues/cancellation.hpp
// Scopes on one line of execution: a wait in the innermost, who links the outer ones, and who cancels all or part of it. A scope and
// all that waits in it go as soon as the line has left it.
#include <sluice/model/program.hpp>
#include <sluice/queues/thread_context.hpp>

#include <memory>

namespace {

using namespace sluice::impl;

// What a when_all is to a line, without its children.
class part final : public cancel_scope {
 public:
  explicit part(task_context& l) noexcept : cancel_scope(l) {}
  ~part() { model::check(touched_.get() == 0, "Nobody is in a scope that goes."); }

  void begin() noexcept { enter(); }
  /// Waits for a canceller that is in it.
  void end() noexcept {
    bool alone = true;
    if (linked()) alone = unlink();
    leave(shut_.get());
    while (!alone && out_.load(acquire) == 0) futex::wait(out_, 0);
  }
  /// Cancels what is in this scope.
  void fail() noexcept {
    shut_.set(true);
    cancellation walk;
    shut_scope(walk);
    walk.finish();
  }

 private:
  void pass_on(cancellation& walk) noexcept override {
    touched_.set(1);
    shut_slot(walk);
    touched_.set(0);
    out_.store(1, release);
    futex::wake(out_, 1);
  }

  plain<int> touched_{0};
  plain<bool> shut_{false};
  atomic<std::uint32_t> out_{0};
};

// A wait that is over when a canceller has taken it.
class wait final : public canceller {
 public:
  /// False: cancelled.
  bool begin(task_context& on) noexcept { return on.arm(link_); }
  /// Completes it. False: a canceller has had it.
  bool complete(task_context& on) noexcept {
    if (on.disarm(link_)) return true;
    while (taken_.load(acquire) == 0) futex::wait(taken_, 0);
    return false;
  }
  void until_cancelled() noexcept {
    while (taken_.load(acquire) == 0) futex::wait(taken_, 0);
  }

 private:
  void cancel(cancellable&, cancellation&) noexcept override {
    taken_.store(1, release);
    futex::wake(taken_, 1);
  }

  cancellable link_{this};
  atomic<std::uint32_t> taken_{0};
};

struct state {
  thread_context line;
  std::unique_ptr<part> outer = std::make_unique<part>(line);
  std::unique_ptr<part> inner = std::make_unique<part>(line);
  atomic<std::uint32_t> entered{0};
  atomic<std::uint32_t> partner_over{0};

  void enter_both() {
    outer->begin();
    inner->begin();
    entered.store(1, release);
    futex::wake(entered, 2);
  }
  void await_entered() {
    while (entered.load(acquire) == 0) futex::wait(entered, 0);
  }
  void partner_ends() {
    partner_over.store(1, release);
    futex::wake(partner_over, 1);
  }
  void await_partner() {
    while (partner_over.load(acquire) == 0) futex::wait(partner_over, 0);
  }
  void leave_both() {
    inner->end();
    inner.reset();
    outer->end();
    outer.reset();
  }
};

// A wait in the inner scope, and a cancellation of the line at any time: the wait is found, or never begun.
void cancelled_line(model::run& r) {
  auto& s = r.make<state>();
  r.thread("line", [&s] {
    s.enter_both();
    {
      wait w;
      if (w.begin(s.line)) w.until_cancelled();
    }
    model::check(s.line.cancelled(), "A wait that was refused or taken back says that the line is cancelled.");
    s.leave_both();
    wait again;
    model::check(!again.begin(s.line), "A cancellation is a level.");
  });
  r.thread("canceller", [&s] { s.line.cancel(); });
}

// The line itself has made the scope: who is told of it by the slot sees it as it was made.
void made_by_the_line(model::run& r) {
  auto& line = r.make<thread_context>();
  r.thread("line", [&line] {
    part scope(line);
    scope.begin();
    {
      wait w;
      if (w.begin(line)) w.until_cancelled();
    }
    scope.end();
  });
  r.thread("canceller", [&line] { line.cancel(); });
}

// The wait is completed in time, or not. Two cancel.
void completed(model::run& r) {
  auto& s = r.make<state>();
  r.thread("line", [&s] {
    s.enter_both();
    {
      wait w;
      if (w.begin(s.line)) (void)w.complete(s.line);
    }
    s.leave_both();
  });
  r.thread("canceller", [&s] { s.line.cancel(); });
  r.thread("another", [&s] { s.line.cancel(); });
  r.finally([&s] { model::check(s.line.cancelled(), "It is cancelled."); });
}

// A partner (who has begun a line beside, say) links a scope while the line itself does so for a wait within.
void two_link(model::run& r, bool partner_in_outer) {
  auto& s = r.make<state>();
  r.thread("line", [&s] {
    s.enter_both();
    {
      wait w;
      if (w.begin(s.line)) w.until_cancelled();
    }
    s.await_partner();
    s.leave_both();
  });
  r.thread("partner", [&s, partner_in_outer] {
    s.await_entered();
    if (!(partner_in_outer ? s.outer : s.inner)->link())
      model::check(s.line.cancelled(), "A scope that cannot be linked is cancelled.");
    s.partner_ends();
  });
  r.thread("canceller", [&s] { s.line.cancel(); });
}

// A partner cancels one scope, in which the line waits, directly or in a scope within; what comes afterwards on the line is not
// cancelled.
void shut_part(model::run& r, bool partner_in_outer, bool canceller) {
  auto& s = r.make<state>();
  r.thread("line", [&s, partner_in_outer, canceller] {
    s.enter_both();
    {
      wait w;
      if (w.begin(s.line)) w.until_cancelled();
    }
    model::check(s.line.cancelled(), "What is in the scope is cancelled.");
    s.await_partner();
    s.inner->end();
    s.inner.reset();
    if (!canceller) model::check(s.line.cancelled() == partner_in_outer, "A scope is cancelled until it is left.");
    s.outer->end();
    s.outer.reset();
    if (canceller) return;
    model::check(!s.line.cancelled(), "A line goes on after a scope that was cancelled.");
    wait again;
    model::check(again.begin(s.line) && again.complete(s.line), "And waits as ever.");
  });
  r.thread("partner", [&s, partner_in_outer] {
    s.await_entered();
    (partner_in_outer ? s.outer : s.inner)->fail();
    s.partner_ends();
  });
  if (canceller) r.thread("canceller", [&s] { s.line.cancel(); });
  r.finally([&s, canceller] { model::check(s.line.cancelled() == canceller, "All of it, or nothing, is cancelled."); });
}

// Both scopes are cancelled by those who take part in them: the outer one's lasts.
void shut_both(model::run& r) {
  auto& s = r.make<state>();
  r.thread("line", [&s] {
    s.enter_both();
    {
      wait w;
      if (w.begin(s.line)) w.until_cancelled();
    }
    s.await_partner();
    s.inner->fail();
    s.inner->end();
    s.inner.reset();
    model::check(s.line.cancelled(), "The outer scope is cancelled still.");
    s.outer->end();
    s.outer.reset();
    model::check(!s.line.cancelled(), "The line goes on.");
  });
  r.thread("partner", [&s] {
    s.await_entered();
    s.outer->fail();
    s.partner_ends();
  });
}

const model::program p00{"scopes: a wait within two, and the line is cancelled", {}, cancelled_line};
const model::program p01{"scopes: a wait within two ends, and two cancel the line", {}, completed};
const model::program p02{"scopes: a partner links the outer one", {}, [](model::run& r) { two_link(r, true); }};
const model::program p03{"scopes: a partner links the inner one", {}, [](model::run& r) { two_link(r, false); }};
const model::program p04{"scopes: the outer one is cancelled", {}, [](model::run& r) { shut_part(r, true, false); }};
const model::program p05{"scopes: the inner one is cancelled", {}, [](model::run& r) { shut_part(r, false, false); }};
const model::program p06{
    "scopes: the outer one is cancelled, and the line", {}, [](model::run& r) { shut_part(r, true, true); }};
const model::program p07{
    "scopes: the inner one is cancelled, and the line", {}, [](model::run& r) { shut_part(r, false, true); }};
const model::program p09{"scopes: one that the line has made, and the line is cancelled", {}, made_by_the_line};
const model::program p08{"scopes: both are cancelled", {}, shut_both};

}  // namespace
