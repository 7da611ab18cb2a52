// models: queues/semaphore.hpp queues/semaphore.cpp queues/waiter_hub.hpp
// The semaphore: exclusion, hand-over, several permits, cancellation, time-outs, resizing, and its destruction beside a release.
#include <sluice/model/program.hpp>
#include <sluice/queues/semaphore.hpp>

#include "model_payload.hpp"

#include <chrono>
#include <memory>
#include <utility>

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

// As acquire(), but gives up: at any moment, as far as a model is concerned.
bool acquire_in_time(semaphore_core& gate, std::uint64_t n) {
  thread_context context;
  try {
    acquire_awaiter awaiter(gate, n, context);
    block_on_awaiter(awaiter, context, now() + std::chrono::seconds(1)).forget();
    return true;
  } catch (const timed_out&) {
    return false;
  }
}

// One permit is a lock for those who wait, those who only try and the one who has it.
void nobody_passes_the_waiter(model::run& r) {
  auto& s = r.make<state>(std::size_t{1});
  (void)s.gate->try_take(1);
  const auto work = [&s] {
    s.guarded.set(s.guarded.get() + 1);
    s.gate->give_back(1);
  };
  r.thread("holder", work);
  r.thread("waiter", [&s, work] {
    acquire(*s.gate, s.one, 1);
    work();
  });
  r.thread("tries", [&s, work] {
    model::check(s.gate->try_take(0), "Nothing is had at once, whoever waits.");
    if (s.gate->try_take(1)) work();
  });
  r.finally([&s] { model::check(s.gate->try_take(1), "It is free again, and nobody waits."); });
}

// What the snapshots say at rest; a small request that comes while a large one waits is behind it.
void large_waits_first(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  (void)s.gate->try_take(1);
  r.thread("large", [&s] {
    acquire(*s.gate, s.one, 2);
    s.guarded.set(1);
  });
  r.thread("holder", [&s] {
    while (s.gate->waiting() == 0) yield_thread();
    model::check(!s.gate->try_take(1) && s.gate->available() == 1, "A large request at the head holds up small ones.");
    s.gate->give_back(1);
  });
  r.finally([&s] {
    model::check(s.guarded.get() == 1 && s.gate->available() == 0, "It holds both.");
    s.gate->give_back(2);
    model::check(s.gate->try_take(2), "It is free again, and nobody waits.");
  });
}

// Three permits come back at once and serve a request of two and one of one.
void one_for_two(model::run& r) {
  auto& s = r.make<state>(std::size_t{3});
  (void)s.gate->try_take(3);
  r.thread("two", [&s] {
    acquire(*s.gate, s.one, 2);
    model::check(s.guarded.get() == 5, "What the holder wrote is visible.");
  });
  r.thread("one", [&s] {
    acquire(*s.gate, s.two, 1);
    model::check(s.guarded.get() == 5, "What the holder wrote is visible.");
  });
  r.thread("holder", [&s] {
    s.guarded.set(5);
    s.gate->give_back(3);
  });
  r.finally([&s] {
    s.gate->give_back(3);
    model::check(s.gate->try_take(3), "All are free again, and nobody waits.");
  });
}

// A wait that only a release and a resize together can end.
void released_and_resized(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  (void)s.gate->try_take(2);
  r.thread("acquirer", [&s] {
    acquire(*s.gate, s.one, 2);
    model::check(s.guarded.get() == 5, "What the holder wrote is visible.");
  });
  r.thread("resizer", [&s] { s.gate->resize(3); });
  r.thread("holder", [&s] {
    s.guarded.set(5);
    s.gate->give_back(1);
  });
  r.finally([&s] { model::check(s.gate->available() == 0, "All three are out."); });
}

// Shrinks while somebody waits: it drains, and the waiter is served from what is left.
void shrunk(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  (void)s.gate->try_take(2);
  r.thread("acquirer", [&s] { acquire(*s.gate, s.one, 1); });
  r.thread("resizer", [&s] { s.gate->resize(1); });
  r.thread("holder", [&s] { s.gate->give_back(2); });
  r.finally([&s] { model::check(s.gate->available() == 0 && s.gate->waiting() == 0, "The one permit is held."); });
}

// A wait times out beside the release that would have ended it; once that has taken effect, the semaphore may go.
void destroyed_beside_a_release(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  (void)s.gate->try_take(2);
  r.thread("holder", [gate = s.gate.get()] { gate->give_back(1); });
  r.thread("owner", [&s] {
    if (acquire_in_time(*s.gate, 1) || s.gate->available() == 1) s.gate.reset();
  });
}

// The same when a second wait found too few permits, and a kick was on its way already.
void destroyed_after_two_waits(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  (void)s.gate->try_take(2);
  r.thread("holder", [gate = s.gate.get()] { gate->give_back(1); });
  r.thread("owner", [&s] {
    acquire_in_time(*s.gate, 2);
    acquire_in_time(*s.gate, 2);
    if (s.gate->available() == 1) s.gate.reset();
  });
}

// A resize takes the kick with it: the release that comes after it owes none.
void destroyed_after_a_resize(model::run& r) {
  auto& s = r.make<state>(std::size_t{1});
  (void)s.gate->try_take(1);
  r.thread("holder", [gate = s.gate.get()] { gate->give_back(1); });
  r.thread("owner", [&s] {
    if (acquire_in_time(*s.gate, 1)) return;
    s.gate->resize(2);
    while (!s.gate->try_take(2)) yield_thread();
    s.gate.reset();
  });
}

// The public face: permits move, split and go.
void permits(model::run& r) {
  struct shared {
    semaphore gate{2};
    plain<int> guarded{0};
  };
  auto& s = r.make<shared>();
  const auto work = [&s](permit held) { s.guarded.set(s.guarded.get() + static_cast<int>(held.count())); };
  r.thread("forever", [&s, work] {
    work(s.gate.blocking_acquire(2));
    model::check(test::refused_on_worker([&] { (void)s.gate.blocking_acquire(0); }), "A worker is not blocked.");
  });
  r.thread("in parts", [&s, work] {
    permit held = s.gate.blocking_acquire(2, std::chrono::hours::max());
    permit part = held.split(1);
    work(std::move(part));
    work(std::move(held));
  });
  r.finally([&s] { model::check(s.guarded.get() == 4 && s.gate.available() == 2, "Both held both, one by one."); });
}

// Who tries gets all or nothing; a permit that is assigned to gives back what it held.
void tried_permits(model::run& r) {
  struct shared {
    semaphore gate{1};
    plain<int> guarded{0};
  };
  auto& s = r.make<shared>();
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "first" : "second", [&s] {
      auto held = s.gate.try_acquire(1);
      if (!held) return;
      s.guarded.set(s.guarded.get() + 1);
      *held = s.gate.blocking_acquire(0);
    });
  }
  r.finally([&s] { model::check(s.guarded.get() >= 1 && s.gate.available() == 1, "Who had it gave it back."); });
}

const model::program p01{"semaphore: one permit excludes", {}, exclusion};
const model::program p02{"semaphore: acquire x cancel x release", {}, cancelled_acquire};
const model::program p03{"semaphore: a cancelled large request in front", {}, cancelled_in_front};
const model::program p04{"semaphore: two releases for one acquire", {}, two_for_one};
const model::program p05{"semaphore: acquire x resize", {}, resized};
const model::program p06{"semaphore: the acquirer destroys it", {}, acquirer_destroys};
const model::program p07{"semaphore: nobody passes the waiter", {}, nobody_passes_the_waiter};
const model::program p08{"semaphore: a large request waits first", {}, large_waits_first};
const model::program p09{"semaphore: one release serves two", {}, one_for_two};
const model::program p10{"semaphore: release x resize, both needed", {}, released_and_resized};
const model::program p11{"semaphore: shrunk x release x acquire", {}, shrunk};
const model::program p12{"semaphore: destroyed beside a release", {}, destroyed_beside_a_release};
const model::program p13{"semaphore: destroyed after two waits", {.timeouts = 2}, destroyed_after_two_waits};
const model::program p14{"semaphore: destroyed after a resize", {}, destroyed_after_a_resize};
const model::program p15{"semaphore: permits, moved and split", {}, permits};
const model::program p16{"semaphore: permits, tried and assigned", {}, tried_permits};

}  // namespace
