// models: queues/event.hpp queues/event.cpp queues/waiter_hub.hpp
// The event: set, reset and wait against each other, against cancellation and time-outs, and its destruction beside a set.
#include <sluice/model/program.hpp>
#include <sluice/queues/event.hpp>

#include "model_payload.hpp"

#include <chrono>
#include <memory>

namespace {

using namespace sluice;
using namespace sluice::impl;

struct signal {
  std::unique_ptr<event_core> core = std::make_unique<event_core>(false);
  thread_context one;
  thread_context two;
  plain<int> written{0};
  atomic<bool> was_reset{false};
};

bool wait_for(event_core& core, thread_context& context) {
  try {
    event_awaiter awaiter(core, context);
    block_on_awaiter(awaiter, context, time_point::max());
    return true;
  } catch (const cancelled&) {
    return false;
  }
}

void set_wakes_all(model::run& r) {
  auto& s = r.make<signal>();
  const auto waiting = [&s](thread_context& context) {
    wait_for(*s.core, context);
    model::check(s.written.get() == 3, "What was written before set() is visible.");
  };
  r.thread([&s, waiting] { waiting(s.one); });
  r.thread([&s, waiting] { waiting(s.two); });
  r.thread("setter", [&s] {
    s.written.set(3);
    s.core->set();
  });
}

// A wait that began before set() ends, though reset() follows at once. A wait that began later waits for the second set().
void set_reset_set(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("waiter", [&s] { wait_for(*s.core, s.one); });
  r.thread("setter", [&s] {
    s.core->set();
    s.core->reset();
    s.core->set();
  });
}

void waiter_destroys(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("setter", [core = s.core.get()] { core->set(); });
  r.thread("waiter", [&s] {
    wait_for(*s.core, s.one);
    s.core.reset();
  });
}

void cancelled_wait(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("waiter", [&s] {
    wait_for(*s.core, s.one);
    s.core.reset();
  });
  r.thread("canceller", [&s] { s.one.cancel(); });
}

// set x cancel x wait, and the other waiter must still be served.
void cancelled_beside_another(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("cancelled", [&s] { wait_for(*s.core, s.one); });
  r.thread("waiter", [&s] { model::check(wait_for(*s.core, s.two), "Nobody cancelled this one."); });
  r.thread("setter", [&s] {
    s.one.cancel();
    s.core->set();
  });
}

// As wait_for(), but gives up: at any moment, as far as a model is concerned.
bool wait_in_time(event_core& core) {
  thread_context context;
  try {
    event_awaiter awaiter(core, context);
    block_on_awaiter(awaiter, context, now() + std::chrono::seconds(1));
    return true;
  } catch (const timed_out&) {
    return false;
  }
}

// A wait that begins after a reset knows nothing of the set() before it.
void wait_after_reset(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("resetter", [&s] {
    s.core->set();
    s.core->reset();
    model::check(!s.core->is_set(), "Once reset it is not set.");
    s.was_reset.store(true, relaxed);
    wait_for(*s.core, s.one);
    model::check(s.written.get() == 3, "It waited for the other set().");
  });
  r.thread("setter", [&s] {
    while (!s.was_reset.load(relaxed)) yield_thread();
    s.written.set(3);
    s.core->set();
  });
}

// The same beside one that began to wait before the set(), and may serve both.
void wait_after_reset_beside_another(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("waiter", [&s] { wait_in_time(*s.core); });
  r.thread("resetter", [&s] {
    s.core->set();
    s.core->reset();
    model::check(!wait_in_time(*s.core), "Nobody has set it since.");
  });
}

// is_set() says what wait() says.
void asked(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("setter", [&s] {
    s.written.set(3);
    s.core->set();
  });
  r.thread("asks", [&s] {
    while (!s.core->is_set()) yield_thread();
    model::check(s.written.get() == 3, "What was written before set() is visible.");
  });
}

// Two set() at once: whoever waits sees what at least one of them wrote, and both kicks find an event.
void two_setters(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("setter", [&s] {
    s.written.set(3);
    s.core->set();
    wait_for(*s.core, s.two);
  });
  r.thread("other", [&s] { s.core->set(); });
  r.thread("waiter", [&s] { wait_for(*s.core, s.one); });
}

// A wait times out beside the set() that would have ended it; once that has taken effect, the event may go.
void destroyed_beside_a_set(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("setter", [core = s.core.get()] { core->set(); });
  r.thread("owner", [&s] {
    if (wait_in_time(*s.core) || s.core->is_set()) s.core.reset();
  });
}

// The same when it was reset and waited for again while the kick was on its way.
void destroyed_after_two_waits(model::run& r) {
  auto& s = r.make<signal>();
  r.thread("setter", [core = s.core.get()] { core->set(); });
  r.thread("owner", [&s] {
    wait_in_time(*s.core);
    if (!s.core->is_set()) return;
    s.core->reset();
    wait_in_time(*s.core);
    s.core.reset();
  });
}

// The public face.
void blocking(model::run& r) {
  struct shared {
    event begin;
    event end;
    plain<int> written{0};
  };
  auto& s = r.make<shared>();
  r.thread("first", [&s] {
    s.written.set(1);
    s.begin.set();
    s.end.blocking_wait(std::chrono::hours::max());
    model::check(s.written.get() == 2, "It waited.");
    model::check(test::refused_on_worker([&] { s.end.blocking_wait(); }), "A worker is not blocked.");
  });
  r.thread("second", [&s] {
    s.begin.blocking_wait();
    model::check(s.written.get() == 1, "It waited.");
    s.written.set(2);
    s.end.set();
  });
}

const model::program p01{"event: set wakes all", {}, set_wakes_all};
const model::program p02{"event: set, reset, set x wait", {}, set_reset_set};
const model::program p03{"event: the waiter destroys it", {}, waiter_destroys};
const model::program p04{"event: wait x cancel, then destroyed", {}, cancelled_wait};
const model::program p05{"event: a cancelled wait beside another", {}, cancelled_beside_another};
const model::program p12{
    "event: set, reset, then wait beside another", {.timeouts = 0}, wait_after_reset_beside_another};
const model::program p06{"event: set, reset, then wait", {}, wait_after_reset};
const model::program p07{"event: is_set says what wait says", {}, asked};
const model::program p08{"event: two setters", {}, two_setters};
const model::program p09{"event: destroyed beside a set", {}, destroyed_beside_a_set};
const model::program p10{"event: destroyed after two waits", {.timeouts = 2}, destroyed_after_two_waits};
const model::program p11{"event: blocking_wait", {}, blocking};

}  // namespace
