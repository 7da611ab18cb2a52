// The watch goes from hand to hand: what a long task has woken into its LIFO slot is taken by somebody while that task goes on.
// The steps are those of worker.cpp (wake, park, found_work), on the shipped idle word, watch and parkers. A lost watch is a
// deadlock: everybody computes or sleeps for ever, and the item stays.
// models: scheduler/watch.hpp

#include "crew.hpp"

#include <sluice/scheduler/idle.hpp>
#include <sluice/scheduler/parker.hpp>
#include <sluice/scheduler/watch.hpp>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

// What a program may leave out, to show that it is needed.
struct all_steps {
  static constexpr bool owes = true;
  static constexpr bool hands_on = true;
  static constexpr bool fill_looks = true;
  static constexpr bool fill_owes = true;
  static constexpr bool refill_looks = true;
};

template <std::size_t Workers, class Steps = all_steps>
struct workers {
  workers() : idle(Workers) {}

  void wake_one() {
    const std::size_t i = idle.wake_one();
    if (i != idle_state::nobody) beds[i].unpark();
  }
  // worker::wake into an empty slot, by a task that then computes until somebody else has taken the item.
  void fill_and_compute() {
    fill(it);
    slice.wait();
  }
  void fill(item& i) {
    slot.store(filled(i), release);
    filled_slot();
  }
  // The same into a slot that was full a moment ago: what is displaced goes to the ring, and is run here.
  void fill_again(item& i) {
    if (slot.load(relaxed) == nullptr) return fill(i);
    if (item* const displaced = slot.exchange(filled(i), acq_rel)) return took(displaced);
    if (Steps::refill_looks) filled_slot();
  }
  void filled_slot() {
    if (!Steps::fill_looks || watch.taken() || !idle.anybody_sleeps()) return;
    if (Steps::fill_owes) watch.owe();
    if (idle.must_wake()) wake_one();
  }
  // worker::found_work, and then the work is long.
  void found_work(bool searching, bool watched) {
    const bool last = searching && idle.end_search();
    if (watched && Steps::owes) watch.owe();
    if ((watched && Steps::hands_on && idle.must_wake()) || (last && watch.owed())) wake_one();
    slice.wait();
  }
  // worker::steal_from, the slot.
  bool steal() {
    if (slot.load(relaxed) == nullptr) return false;
    item* const got = slot.exchange(nullptr, acquire);
    if (got == nullptr) return false;
    took(got);
    return true;
  }
  void took(item* i) {
    take(i);
    if (left.fetch_sub(1, relaxed) == 1) slice.done();
  }
  // worker::park.
  bool park(std::size_t self, bool searching, bool& watched) {
    idle.announce_sleep(self, searching);
    const bool watching = idle.sleeping() < Workers && watch.take(self);
    beds[self].park_until(watching ? now() + std::chrono::milliseconds(1) : time_point::max());
    watched = watched || watching;
    return awake(self, watching);
  }
  bool awake(std::size_t self, bool watching) {
    if (watching) watch.leave();
    return idle.leave_sleep(self);
  }
  // A worker that finds nothing until it finds the slot.
  void idler(std::size_t self, bool searching) {
    bool watched = false;
    while (!steal()) {
      if (!searching) searching = idle.begin_search();
      if (steal()) return;
      searching = park(self, searching, watched);
    }
  }
  // The same until nothing is left, and what it finds is long.
  void idler_at_work(std::size_t self, bool searching) {
    bool watched = false;
    while (left.load(relaxed) != 0) {
      if (!searching) searching = idle.begin_search();
      if (steal()) return found_work(searching, watched);
      searching = park(self, searching, watched);
    }
  }
  // The same, asleep at first without the watch.
  void sleeper(std::size_t self) {
    beds[self].park_until(time_point::max());
    idler(self, awake(self, false));
  }
  // In set-up.
  void asleep(std::size_t self, bool watching) {
    idle.announce_sleep(self, false);
    if (watching) model::check(watch.take(self), "The watch is free.");
  }

  idle_state idle;
  watch_post watch;
  std::array<parker, Workers> beds;
  atomic<item*> slot{nullptr};
  item it;
  item second;
  atomic<int> left{1};  // so many items keep the long slices going
  long_slice slice;
};

const model::options patient{.timeouts = 0};

const model::program taken_again{"watch: the one that watched finds nothing", patient, [](model::run& r) {
                                   auto& s = r.make<workers<2>>();
                                   s.asleep(1, true);
                                   r.thread("busy", [&s] { s.fill_and_compute(); });
                                   r.thread("watcher", [&s] { s.idler(1, s.awake(1, true)); });
                                 }};

const model::program all_slept{"watch: all sleep, and one wakes by its own deadline as the watch is left", patient,
                               [](model::run& r) {
                                 auto& s = r.make<workers<2>>();
                                 s.asleep(1, true);
                                 s.asleep(0, false);
                                 r.thread("busy", [&s] {
                                   if (s.awake(0, false)) model::fail("Nobody has woken it.");
                                   s.fill_and_compute();
                                 });
                                 r.thread("watcher", [&s] { s.idler(1, s.awake(1, true)); });
                               }};

const model::program all_slept_woken{"watch: all sleep, and one is woken from outside as the watch is left", patient,
                                     [](model::run& r) {
                                       auto& s = r.make<workers<2>>();
                                       s.asleep(1, true);
                                       s.asleep(0, false);
                                       r.thread("outside", [&s] {
                                         if (s.idle.wake_one() != 0)
                                           s.beds[0].unpark();  // not by the idle word, so as a new timer does
                                         s.beds[0].unpark();
                                       });
                                       r.thread("busy", [&s] {
                                         s.beds[0].park_until(time_point::max());
                                         const bool searching = s.awake(0, false);
                                         if (searching) s.idle.end_search();
                                         s.fill_and_compute();
                                       });
                                       r.thread("watcher", [&s] {
                                         const bool searching = s.awake(1, true);
                                         s.idler(1, searching);
                                       });
                                     }};

template <class Steps>
void work_of_its_own(model::run& r) {
  auto& s = r.make<workers<3, Steps>>();
  s.asleep(1, true);
  s.asleep(2, false);
  r.thread("busy", [&s] { s.fill_and_compute(); });
  r.thread("watcher", [&s] { s.found_work(s.awake(1, true), true); });
  r.thread("sleeper", [&s] { s.sleeper(2); });
}

const model::program own_work{"watch: the watcher finds work of its own", patient, work_of_its_own<all_steps>};

struct keeps_the_watch : all_steps {
  static constexpr bool hands_on = false;
};
const model::program own_work_kept{"watch: the watcher finds work and tells nobody (canary)",
                                   {.must_fail = "lost wakeup", .timeouts = 0},
                                   work_of_its_own<keeps_the_watch>};

const model::program falls_asleep{"watch: the watcher finds work while another falls asleep", patient,
                                  [](model::run& r) {
                                    auto& s = r.make<workers<3>>();
                                    s.asleep(1, true);
                                    r.thread("busy", [&s] { s.fill_and_compute(); });
                                    r.thread("watcher", [&s] { s.found_work(s.awake(1, true), true); });
                                    r.thread("idler", [&s] { s.idler(2, false); });
                                  }};

template <class Steps>
void beside_a_searcher(model::run& r) {
  auto& s = r.make<workers<4, Steps>>();
  s.asleep(1, true);
  s.asleep(2, false);
  (void)s.idle.begin_search();
  r.thread("busy", [&s] { s.fill_and_compute(); });
  r.thread("watcher", [&s] { s.found_work(s.awake(1, true), true); });
  r.thread("sleeper", [&s] { s.sleeper(2); });
  r.thread("searcher", [&s] { s.found_work(true, false); });
}

const model::program searcher{"watch: the watcher and a searcher find work", patient, beside_a_searcher<all_steps>};

struct owes_nothing : all_steps {
  static constexpr bool owes = false;
};
const model::program searcher_unaware{"watch: the watcher leaves it to a searcher that does not know (canary)",
                                      {.must_fail = "lost wakeup", .timeouts = 0},
                                      beside_a_searcher<owes_nothing>};

// Nobody watches, for all sleep but one: who fills its slot wakes a sleeper.
template <class Steps>
void filled_unwatched(model::run& r) {
  auto& s = r.make<workers<2, Steps>>();
  s.asleep(1, false);
  r.thread("busy", [&s] { s.fill_and_compute(); });
  r.thread("sleeper", [&s] { s.sleeper(1); });
}
const model::program unwatched{"watch: a slot is filled while nobody watches", patient, filled_unwatched<all_steps>};

struct fills_only : all_steps {
  static constexpr bool fill_looks = false;
};
const model::program unwatched_silent{"watch: a slot is filled while nobody watches, and nobody is woken (canary)",
                                      {.must_fail = "lost wakeup", .timeouts = 0},
                                      filled_unwatched<fills_only>};

// The same, but who is woken for the slot finds other work, which is long: it hands on what it was woken for.
template <class Steps>
void finds_something_else(model::run& r) {
  auto& s = r.make<workers<3, Steps>>();
  s.asleep(1, false);
  s.asleep(2, false);
  r.thread("busy", [&s] { s.fill_and_compute(); });
  r.thread("woken", [&s] {
    s.beds[1].park_until(now() + std::chrono::milliseconds(1));
    s.found_work(s.awake(1, false), false);
  });
  r.thread("sleeper", [&s] { s.sleeper(2); });
}
const model::program other_work{"watch: who is woken for a slot finds other work", patient,
                                finds_something_else<all_steps>};

struct fills_without_a_debt : all_steps {
  static constexpr bool fill_owes = false;
};
const model::program other_work_kept{"watch: who is woken for a slot finds other work and forgets it (canary)",
                                     {.must_fail = "lost wakeup", .timeouts = 0},
                                     finds_something_else<fills_without_a_debt>};

// A searcher empties the slot at the moment at which it is filled again, and computes on.
template <class Steps>
void emptied_meanwhile(model::run& r) {
  auto& s = r.make<workers<3, Steps>>();
  s.asleep(2, false);
  s.slot.store(filled(s.it), relaxed);
  s.left.store(2, relaxed);
  (void)s.idle.begin_search();
  r.thread("busy", [&s] {
    s.fill_again(s.second);
    s.slice.wait();
  });
  r.thread("searcher", [&s] {
    s.idler_at_work(1, true);
    s.beds[2].unpark();
  });
  r.thread("sleeper", [&s] {
    s.beds[2].park_until(time_point::max());
    s.idler_at_work(2, s.awake(2, false));
  });
}
const model::program emptied{"watch: a slot is emptied while it is filled again", patient,
                             emptied_meanwhile<all_steps>};

struct refills_silently : all_steps {
  static constexpr bool refill_looks = false;
};
const model::program emptied_silently{"watch: a slot is emptied while it is filled again, and nobody looks (canary)",
                                      {.must_fail = "lost wakeup", .timeouts = 0},
                                      emptied_meanwhile<refills_silently>};

const model::program one_at_a_time{"watch: two want it, one gets it, and it is owed no more", {}, [](model::run& r) {
                                     struct post {
                                       watch_post watch;
                                       atomic<int> watching{0};
                                     };
                                     auto& s = r.make<post>();
                                     s.watch.owe();
                                     for (std::size_t i = 0; i < 2; ++i) {
                                       r.thread("idler", [&s, i] {
                                         if (s.watch.take(i)) s.watching.fetch_add(1, relaxed);
                                       });
                                     }
                                     r.finally([&s] {
                                       model::check(s.watching.load(relaxed) == 1, "One worker watches.");
                                       model::check(!s.watch.owed(), "It owes the watch to nobody.");
                                     });
                                   }};

}  // namespace
