// The inbox: what several threads put into it comes out once, and in the order of each of them.

#include "items.hpp"

#include <sluice/scheduler/idle.hpp>
#include <sluice/scheduler/inbox.hpp>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

struct letter : runnable {
  item content;
};

template <std::size_t Letters>
struct shared {
  void put(std::size_t i) { box.put(sealed(i)); }
  runnable& sealed(std::size_t i) {
    filled(letters[i].content);
    return letters[i];
  }
  // `before` is the one that must not come later than `after`.
  void take_all(std::size_t before, std::size_t after) {
    bool after_seen = false;
    for (runnable* r = box.take_all(); r != nullptr;) {
      runnable* const next = r->next;
      if (r == &letters[after]) after_seen = true;
      if (r == &letters[before]) model::check(!after_seen, "What one thread puts comes out in that order.");
      take(&static_cast<letter*>(r)->content);
      r = next;
    }
  }
  void check_taken() {
    for (letter& l : letters) model::check(l.content.taken.load(relaxed) == 1, "No letter is lost.");
  }

  inbox box;
  std::array<letter, Letters> letters;
};

const model::program two_takers{"inbox: two put, two take", {}, [](model::run& r) {
                                  auto& s = r.make<shared<3>>();
                                  r.thread("one", [&s] {
                                    s.put(0);
                                    s.put(1);
                                  });
                                  r.thread("two", [&s] {
                                    s.put(2);
                                    s.take_all(0, 1);
                                  });
                                  r.thread("three", [&s] { s.take_all(0, 1); });
                                  r.finally([&s] {
                                    s.take_all(0, 1);
                                    s.check_taken();
                                  });
                                }};

const model::program chain{"inbox: a chain at once", {}, [](model::run& r) {
                             auto& s = r.make<shared<3>>();
                             r.thread("one", [&s] {
                               runnable& older = s.sealed(0);
                               runnable& newer = s.sealed(1);
                               newer.next = &older;
                               s.box.put_chain(newer, older);
                             });
                             r.thread("two", [&s] { s.put(2); });
                             r.thread("three", [&s] { s.take_all(0, 1); });
                             r.finally([&s] {
                               s.take_all(0, 1);
                               s.check_taken();
                             });
                           }};

// D1, as in put_outside and park of worker.cpp.
const model::program seen_or_seeing{
    "inbox: a put while somebody falls asleep", {}, [](model::run& r) {
      struct both : shared<1> {
        idle_state idle{2};
        bool sleeper_seen = false;
        bool letter_seen = false;
      };
      auto& s = r.make<both>();
      r.thread("one", [&s] {
        s.put(0);
        s.sleeper_seen = s.idle.anybody_sleeps();
      });
      r.thread("sleeper", [&s] {
        s.idle.announce_sleep(1, false);
        s.letter_seen = s.box.has_items();
      });
      r.finally([&s] { model::check(s.sleeper_seen || s.letter_seen, "One of them sees the other."); });
    }};

}  // namespace
