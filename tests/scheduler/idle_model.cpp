// Sleep against work: with each source of work, no item is left while everybody sleeps. A lost wakeup is a deadlock.
// models: scheduler/inbox.hpp scheduler/parker.hpp scheduler/napper.hpp

#include "crew.hpp"

#include <sluice/scheduler/fork_deque.hpp>
#include <sluice/scheduler/idle.hpp>
#include <sluice/scheduler/inbox.hpp>
#include <sluice/scheduler/injection.hpp>
#include <sluice/scheduler/napper.hpp>
#include <sluice/scheduler/parker.hpp>
#include <sluice/scheduler/ready_ring.hpp>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

constexpr time_point never = time_point::max();

// Counts what has been taken, and ends the workers when it was everything.
template <std::size_t Workers>
struct hall {
  explicit hall(int items) : left(items), idle(Workers) {}

  void wake_one() {
    const std::size_t i = idle.wake_one();
    if (i != idle_state::nobody) parkers[i].unpark();
  }
  void finished_one() {
    if (left.fetch_sub(1, seq_cst) != 1) return;
    for (auto& p : parkers) p.unpark();
  }

  // The worker's loop as worker.cpp has it, without the fast paths: `take_one` runs one item if it finds one, `has_work` looks
  // at every source.
  template <class TakeOne, class HasWork>
  void work(std::size_t self, TakeOne take_one, HasWork has_work) {
    bool searching = false;
    while (left.load(seq_cst) != 0) {
      if (!searching) searching = idle.begin_search();
      if (take_one()) {
        if (searching && idle.end_search() && has_work()) wake_one();
        searching = false;
        continue;
      }
      idle.announce_sleep(self, searching);
      if (!has_work() && left.load(seq_cst) != 0) parkers[self].park_until(never);
      searching = idle.leave_sleep(self);
    }
  }

  atomic<int> left;
  idle_state idle;
  std::array<parker, Workers> parkers;
};

struct task : runnable {
  item it;
};

template <std::size_t Workers, std::size_t Items>
struct inbox_hall : hall<Workers> {
  inbox_hall() : hall<Workers>(Items) {}

  void put(task& t) {
    filled(t.it);
    box.put(t);
    if (this->idle.must_wake()) this->wake_one();
  }
  bool take_one() {
    runnable* r = box.take_all();
    if (r == nullptr) return false;
    if (r->next != nullptr) {  // the rest goes back, for others
      runnable* const rest = r->next;
      runnable* last = rest;
      while (last->next != nullptr) last = last->next;
      box.put_chain(*rest, *last);
      if (this->idle.must_wake()) this->wake_one();
    }
    take(&static_cast<task*>(r)->it);
    this->finished_one();
    return true;
  }
  void worker(std::size_t self) {
    this->work(self, [this] { return take_one(); }, [this] { return box.has_items(); });
  }
  void check_end() {
    for (task& t : tasks) model::check(t.it.taken.load(relaxed) == 1, "No item is lost.");
  }

  inbox box;
  std::array<task, Items> tasks;
};

const model::program one_worker{"idle: one worker, two items from outside", {}, [](model::run& r) {
                                  auto& s = r.make<inbox_hall<1, 2>>();
                                  r.thread("worker", [&s] { s.worker(0); });
                                  r.thread("outside", [&s] {
                                    s.put(s.tasks[0]);
                                    s.put(s.tasks[1]);
                                  });
                                  r.finally([&s] { s.check_end(); });
                                }};

const model::program two_workers{"idle: two workers, an item from outside", {.bound = 2}, [](model::run& r) {
                                   auto& s = r.make<inbox_hall<2, 1>>();
                                   r.thread("worker", [&s] { s.worker(0); });
                                   r.thread("worker", [&s] { s.worker(1); });
                                   r.thread("outside", [&s] { s.put(s.tasks[0]); });
                                   r.finally([&s] { s.check_end(); });
                                 }};

const model::program two_publishers{"idle: one worker, two publishers", {.bound = 2}, [](model::run& r) {
                                      auto& s = r.make<inbox_hall<1, 2>>();
                                      r.thread("worker", [&s] { s.worker(0); });
                                      r.thread("outside", [&s] { s.put(s.tasks[0]); });
                                      r.thread("outside", [&s] { s.put(s.tasks[1]); });
                                      r.finally([&s] { s.check_end(); });
                                    }};

const model::program early{
    "idle: a worker that wakes at its deadline while a publisher picks it", {.timeouts = 2}, [](model::run& r) {
      auto& s = r.make<inbox_hall<1, 1>>();
      r.thread("worker", [&s] {
        while (s.left.load(seq_cst) != 0) {
          if (s.take_one()) continue;
          s.idle.announce_sleep(0, false);
          if (!s.box.has_items()) s.parkers[0].park_until(now() + std::chrono::milliseconds(1));
          if (s.idle.leave_sleep(0)) s.idle.end_search();
        }
      });
      r.thread("outside", [&s] { s.put(s.tasks[0]); });
      r.finally([&s] {
        s.check_end();
        model::check(s.idle.sleeping() == 0 && s.idle.searching() == 0, "The counts come back to nothing.");
      });
    }};

// A searcher that naps, without a deadline here: what comes from outside must disturb it.
struct nap_hall : inbox_hall<1, 2> {
  void put_and_disturb(task& t) {
    filled(t.it);
    box.put(t);
    if (idle.must_wake()) return wake_one();
    if (nap.disturb() != napper::nobody) parkers[0].unpark();
  }
  void napping_worker() {
    bool searching = false;
    while (left.load(seq_cst) != 0) {
      if (!searching) searching = idle.begin_search();
      if (take_one()) {
        if (idle.end_search() && box.has_items()) wake_one();
        searching = false;
        continue;
      }
      if (!nap.lie_down(0)) continue;
      if (!box.has_items() && left.load(seq_cst) != 0) parkers[0].park_until(never);
      nap.get_up();
    }
  }
  napper nap;
};

const model::program naps{"idle: a searcher that naps, two items from outside", {}, [](model::run& r) {
                            auto& s = r.make<nap_hall>();
                            r.thread("worker", [&s] { s.napping_worker(); });
                            r.thread("outside", [&s] { s.put_and_disturb(s.tasks[0]); });
                            r.thread("outside", [&s] { s.put_and_disturb(s.tasks[1]); });
                            r.finally([&s] { s.check_end(); });
                          }};

const model::program disturbed_once{
    "idle: two publishers disturb one nap", {}, [](model::run& r) {
      struct bed {
        napper nap;
        atomic<int> disturbed{0};
      };
      auto& s = r.make<bed>();
      model::check(s.nap.lie_down(0), "Nobody naps yet.");
      for (int i = 0; i < 2; ++i) {
        r.thread("outside", [&s] {
          if (s.nap.disturb() == 0) s.disturbed.fetch_add(1, relaxed);
        });
      }
      r.finally([&s] { model::check(s.disturbed.load(relaxed) == 1, "One of them wakes it."); });
    }};

// A queue that holds one item and hands it out once.
struct one_cell {
  bool enqueue(std::size_t, item* const* items, std::size_t) noexcept {
    cell.store(items[0], release);
    return true;
  }
  std::size_t dequeue(item** out, std::size_t) noexcept {
    out[0] = cell.exchange(nullptr, acquire);
    return out[0] != nullptr ? 1 : 0;
  }
  atomic<item*> cell{nullptr};
};

const model::program injected{"idle: one worker, an item through the injection queue", {}, [](model::run& r) {
                                struct injection_hall : hall<1> {
                                  injection_hall() : hall<1>(1) {}
                                  counted_queue<item, one_cell> queue;
                                  item it;
                                };
                                auto& s = r.make<injection_hall>();
                                r.thread("worker", [&s] {
                                  s.work(
                                      0,
                                      [&s] {
                                        item* it = nullptr;
                                        if (s.queue.take(&it, 1) == 0) return false;
                                        take(it);
                                        s.finished_one();
                                        return true;
                                      },
                                      [&s] { return s.queue.has_items(); });
                                });
                                r.thread("outside", [&s] {
                                  item* const it = filled(s.it);
                                  (void)s.queue.put(0, &it, 1);
                                  if (s.idle.must_wake()) s.wake_one();
                                });
                              }};

const model::program token{"parker: a token brings what its giver wrote", {.timeouts = 2}, [](model::run& r) {
                             struct bed {
                               parker p;
                               plain<int> written{0};
                             };
                             auto& s = r.make<bed>();
                             r.thread("sleeper", [&s] {
                               while (!s.p.park_until(now() + std::chrono::milliseconds(1))) {
                               }
                               model::check(s.written.get() == 7, "The woken sees what the waker wrote.");
                             });
                             r.thread("waker", [&s] {
                               s.written.set(7);
                               s.p.unpark();
                             });
                           }};

// The mistakes that the two looks are there for.
const model::program blind_sleeper{
    "idle: sleeps without a second look (canary)", {.must_fail = "lost wakeup"}, [](model::run& r) {
      auto& s = r.make<inbox_hall<1, 1>>();
      r.thread("worker", [&s] { s.work(0, [&s] { return s.take_one(); }, [] { return false; }); });
      r.thread("outside", [&s] { s.put(s.tasks[0]); });
    }};
const model::program early_look{
    "idle: looks for sleepers before it publishes (canary)", {.must_fail = "lost wakeup"}, [](model::run& r) {
      auto& s = r.make<inbox_hall<1, 1>>();
      r.thread("worker", [&s] { s.worker(0); });
      r.thread("outside", [&s] {
        filled(s.tasks[0].it);
        const bool asleep = s.idle.must_wake();
        s.box.put(s.tasks[0]);
        if (asleep) s.wake_one();
      });
    }};

// A publisher that sees a searcher relies on it. The searcher finds something else, which keeps it busy until the other worker
// has done what was published.
template <bool LooksAgain>
struct last_searcher : inbox_hall<2, 1> {
  void searcher() {
    const bool last = idle.end_search();
    if (LooksAgain && last && box.has_items()) wake_one();
    slice.wait();
  }
  void helper(bool asleep) {
    bool searching = false;
    if (asleep) {
      parkers[1].park_until(never);
      searching = idle.leave_sleep(1);
    }
    while (!take_one()) {
      if (!searching) searching = idle.begin_search();
      if (take_one()) break;
      idle.announce_sleep(1, searching);
      if (!box.has_items()) parkers[1].park_until(never);
      searching = idle.leave_sleep(1);
    }
    slice.done();
  }
  long_slice slice;
};

template <bool LooksAgain, bool Asleep>
void relied_upon(model::run& r) {
  auto& s = r.make<last_searcher<LooksAgain>>();
  if (Asleep) s.idle.announce_sleep(1, false);
  model::check(s.idle.begin_search(), "Nobody searches yet.");
  r.thread("searcher", [&s] { s.searcher(); });
  r.thread("helper", [&s] { s.helper(Asleep); });
  r.thread("outside", [&s] { s.put(s.tasks[0]); });
  r.finally([&s] { s.check_end(); });
}

const model::program looks_again{
    "idle: the last searcher has found work, the other worker sleeps", {}, relied_upon<true, true>};
const model::program looks_again_early{
    "idle: the last searcher has found work, the other worker falls asleep", {}, relied_upon<true, false>};
const model::program looks_away{
    "idle: the last searcher does not look again (canary)", {.must_fail = "lost wakeup"}, relied_upon<false, true>};

// Two publishers, one of which takes a searcher's place for a worker that wakes by itself just then (I2).
const model::program place_given_back{
    "idle: a worker wakes at its deadline, and sleeps again, between two publishers",
    {.timeouts = 1},
    [](model::run& r) {
      auto& s = r.make<inbox_hall<1, 2>>();
      r.thread("worker", [&s] {
        bool first = true;
        while (s.left.load(seq_cst) != 0) {
          if (s.take_one()) continue;
          s.idle.announce_sleep(0, false);
          if (!s.box.has_items()) {
            s.parkers[0].park_until(std::exchange(first, false) ? now() + std::chrono::milliseconds(1) : never);
          }
          if (s.idle.leave_sleep(0)) s.idle.end_search();
        }
      });
      r.thread("outside", [&s] { s.put(s.tasks[0]); });
      r.thread("outside", [&s] { s.put(s.tasks[1]); });
      r.finally([&s] {
        s.check_end();
        model::check(s.idle.sleeping() == 0 && s.idle.searching() == 0, "The counts come back to nothing.");
      });
    }};

// A busy worker pushes to its own ring without any read-modify-write; the look after its next pop is what counts.
struct ring_hall : hall<2> {
  ring_hall() : hall<2>(2) {}
  ready_ring<item, 4> ring;
  std::array<item, 2> items;
  atomic<std::uint32_t> slice{0};
};

auto busy_owner(bool look_after_pop) {
  return [look_after_pop](model::run& r) {
    auto& s = r.make<ring_hall>();
    r.thread("owner", [&s, look_after_pop] {
      for (item& it : s.items) {
        (void)s.ring.push(filled(it));
        if (s.idle.worth_waking()) s.wake_one();
      }
      item* const it = s.ring.pop();
      if (it == nullptr) return;
      if (look_after_pop && s.idle.must_wake() && s.ring.size() != 0) s.wake_one();
      // A long slice: only the other worker can help the second item.
      while (s.left.load(seq_cst) != 1 && s.ring.has_items()) futex::wait(s.slice, 0);
      take(it);
      s.finished_one();
    });
    r.thread("thief", [&s] {
      s.work(
          1,
          [&s] {
            item* out[2];
            const std::uint32_t n = s.ring.steal(out, 1);
            if (n == 0) return false;
            take(out[0]);
            s.finished_one();
            s.slice.store(1, seq_cst);
            futex::wake(s.slice, 1);
            return true;
          },
          [&s] { return s.ring.has_items(); });
    });
    r.finally([&s] { check_all_taken(s.items); });
  };
}

const model::program own_ring{
    "idle: a push without a read-modify-write is noticed after the next pop", {}, busy_owner(true)};
const model::program own_ring_blind{"idle: a push without a read-modify-write and no look after the pop (canary)",
                                    {.must_fail = "lost wakeup"},
                                    busy_owner(false)};

// Forked children are private until somebody is hungry: whoever sleeps has said so.
struct fork_hall : hall<2> {
  fork_hall() : hall<2>(2) {}
  void feed() {  // as worker::feed_thieves
    deque.publish();
    if (!idle.anybody_sleeps()) {
      deque.set_wanted(false);
      if (idle.anybody_sleeps()) deque.set_wanted(true);
    } else if (deque.has_public() && idle.must_wake()) {
      wake_one();
    }
  }
  fork_deque<item> deque{4};
  atomic<std::uint32_t> slice{0};
  std::array<item, 2> items;
};

const model::program hungry{"idle: while anybody sleeps, what is forked is published", {}, [](model::run& r) {
                              auto& s = r.make<fork_hall>();
                              r.thread("owner", [&s] {
                                (void)s.deque.push(filled(s.items[0]));
                                if (s.deque.wanted()) s.feed();
                                (void)s.deque.push(filled(s.items[1]));
                                if (s.deque.wanted()) s.feed();
                                while (item* const it = s.deque.pop()) {
                                  if (s.deque.wanted()) s.feed();
                                  take(it);
                                  s.finished_one();
                                }
                              });
                              r.thread("thief", [&s] {
                                bool searching = false;
                                while (s.left.load(seq_cst) != 0) {
                                  item* it = nullptr;
                                  if (s.deque.steal(it) == fork_deque<item>::outcome::took) {
                                    if (searching && s.idle.end_search() && s.deque.has_public()) s.wake_one();
                                    searching = false;
                                    take(it);
                                    s.finished_one();
                                    continue;
                                  }
                                  s.idle.announce_sleep(1, searching);
                                  s.deque.demand();
                                  if (!s.deque.has_public() && s.left.load(seq_cst) != 0) {
                                    s.parkers[1].park_until(never);
                                  }
                                  searching = s.idle.leave_sleep(1);
                                }
                              });
                              r.finally([&s] { check_all_taken(s.items); });
                            }};

// The owner computes on after publishing: only a thief can help, so it must be awake or have seen the item.
const model::program published{"idle: what is published while somebody falls asleep", {}, [](model::run& r) {
                                 auto& s = r.make<fork_hall>();
                                 s.left.store(1, relaxed);
                                 s.deque.demand();
                                 r.thread("owner", [&s] {
                                   (void)s.deque.push(filled(s.items[0]));
                                   s.feed();
                                   futex::wait(s.slice, 0);
                                 });
                                 r.thread("thief", [&s] {
                                   item* it = nullptr;
                                   bool searching = false;
                                   while (s.deque.steal(it) != fork_deque<item>::outcome::took) {
                                     s.idle.announce_sleep(1, searching);
                                     s.deque.demand();
                                     if (!s.deque.has_public()) s.parkers[1].park_until(never);
                                     searching = s.idle.leave_sleep(1);
                                   }
                                   take(it);
                                   s.slice.store(1, seq_cst);
                                   futex::wake(s.slice, 1);
                                 });
                               }};

const model::program still_wanted{
    "idle: want stays raised while somebody sleeps", {}, [](model::run& r) {
      auto& s = r.make<fork_hall>();
      r.thread("owner", [&s] {
        s.deque.demand();  // an old demand
        s.feed();
      });
      r.thread("sleeper", [&s] {
        s.idle.announce_sleep(1, false);
        s.deque.demand();
      });
      r.finally([&s] { model::check(s.deque.wanted(), "A worker that sleeps is hungry."); });
    }};

}  // namespace
