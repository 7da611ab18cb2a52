// models: queues/semaphore.hpp queues/event.hpp queues/waiter_hub.hpp
// The semaphore and the event: exclusion, hand-over, cancellation, resizing, and the woken side destroying them.
#include <sluice/model/program.hpp>
#include <sluice/queues/event.hpp>
#include <sluice/queues/semaphore.hpp>

#include <memory>

namespace {

using namespace sluice;
using namespace sluice::impl;

struct state {
  explicit state(std::size_t permits) : gate(std::make_unique<semaphore_core>(permits)) {}
  std::unique_ptr<semaphore_core> gate;
  thread_context one;
  thread_context two;
  thread_context three;
  plain<int> guarded{0};
  int held[3]{};
};

bool acquire(semaphore_core& gate, thread_context& context, std::uint64_t n) {
  try {
    acquire_awaiter awaiter(gate, n, context);
    block_on_awaiter(awaiter, context, time_point::max()).forget();
    return true;
  } catch (const cancelled&) {
    return false;
  }
}

// One permit is a lock: what one holder wrote, the next one sees.
void exclusion(model::run& r) {
  auto& s = r.make<state>(std::size_t{1});
  const auto work = [&s](thread_context& context) {
    acquire(*s.gate, context, 1);
    s.guarded.set(s.guarded.get() + 1);
    s.gate->give_back(1);
  };
  r.thread([&s, work] { work(s.one); });
  r.thread([&s, work] { work(s.two); });
  r.finally(
      [&s] { model::check(s.guarded.get() == 2 && s.gate->available() == 1, "Both held it, one after the other."); });
}

// A cancelled acquire holds nothing; what it might have been given goes to the next.
void cancelled_acquire(model::run& r) {
  auto& s = r.make<state>(std::size_t{1});
  (void)s.gate->try_take(1);
  r.thread("first", [&s] { s.held[0] = acquire(*s.gate, s.one, 1) ? 1 : 0; });
  r.thread("canceller", [&s] { s.one.cancel(); });
  r.thread("holder", [&s] { s.gate->give_back(1); });
  r.finally([&s] {
    model::check(s.gate->available() == (s.held[0] == 1 ? 0U : 1U), "The permit is held or free.");
    model::check(s.gate->waiting() == 0, "Nobody waits.");
  });
}

// A large request at the head is cancelled: the small one behind it is looked at again.
void cancelled_in_front(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  (void)s.gate->try_take(1);
  r.thread("large", [&s] {
    if (acquire(*s.gate, s.one, 2)) s.gate->give_back(2);  // it was faster than the canceller
  });
  r.thread("small", [&s] {
    acquire(*s.gate, s.two, 1);
    s.gate->give_back(1);
  });
  r.thread("canceller", [&s] {
    s.one.cancel();
    s.gate->give_back(1);
  });
  r.finally([&s] { model::check(s.gate->available() == 2, "Permits are conserved."); });
}

// Two releases of one permit each serve one who wants two.
void two_for_one(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  (void)s.gate->try_take(2);
  r.thread("acquirer", [&s] { acquire(*s.gate, s.one, 2); });
  r.thread([&s] { s.gate->give_back(1); });
  r.thread([&s] { s.gate->give_back(1); });
  r.finally([&s] { model::check(s.gate->available() == 0, "Both are held."); });
}

void resized(model::run& r) {
  auto& s = r.make<state>(std::size_t{1});
  (void)s.gate->try_take(1);
  r.thread("acquirer", [&s] { acquire(*s.gate, s.one, 1); });
  r.thread("resizer", [&s] { s.gate->resize(2); });
  r.finally([&s] { model::check(s.gate->available() == 0, "Both are held."); });
}

void acquirer_destroys(model::run& r) {
  auto& s = r.make<state>(std::size_t{1});
  (void)s.gate->try_take(1);
  r.thread("holder", [gate = s.gate.get()] { gate->give_back(1); });
  r.thread("acquirer", [&s] {
    acquire(*s.gate, s.one, 1);
    s.gate.reset();
  });
}

struct signal {
  std::unique_ptr<event_core> core = std::make_unique<event_core>(false);
  thread_context one;
  thread_context two;
  plain<int> written{0};
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

const model::program p01{"semaphore: one permit excludes", {}, exclusion};
const model::program p02{"semaphore: acquire x cancel x release", {}, cancelled_acquire};
const model::program p03{"semaphore: a cancelled large request in front", {}, cancelled_in_front};
const model::program p04{"semaphore: two releases for one acquire", {}, two_for_one};
const model::program p05{"semaphore: acquire x resize", {}, resized};
const model::program p06{"semaphore: the acquirer destroys it", {}, acquirer_destroys};
const model::program p07{"event: set wakes all", {}, set_wakes_all};
const model::program p08{"event: set, reset, set x wait", {}, set_reset_set};
const model::program p09{"event: the waiter destroys it", {}, waiter_destroys};
const model::program p10{"event: wait x cancel, then destroyed", {}, cancelled_wait};
const model::program p11{"event: a cancelled wait beside another", {}, cancelled_beside_another};

}  // namespace
