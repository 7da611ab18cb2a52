// models: queues/watch.hpp queues/broadcast_core.hpp queues/broadcast_waits.hpp queues/shared_slot.hpp
// The watch: set, get, modify and watchers against each other, against close, cancellation and time-outs, and its
// destruction beside a set.
#include <sluice/model/program.hpp>
#include <sluice/queues/watch.hpp>

#include "model_broadcast.hpp"
#include "model_payload.hpp"

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

using model_watch = sluice::watch<heavy>;

struct watched {
  explicit watched(int initial = 1) : value(std::make_unique<model_watch>(heavy(initial))) {}
  std::unique_ptr<model_watch> value;
  plain<int> written{0};
};

void get_and_set(model::run& r) {
  auto& s = r.make<watched>();
  r.thread("setter", [&s] {
    const heavy second(2);
    s.written.set(7);
    s.value->set(second);
  });
  r.thread("getter", [&s] {
    const int first = s.value->get().number();
    if (first == 2) model::check(s.written.get() == 7, "What was written before the set is visible.");
    model::check(s.value->get().number() >= first, "It does not go back.");
  });
}

// No change is lost, and none is made to a value that was replaced.
void two_modify(model::run& r) {
  auto& s = r.make<watched>(0);
  for (int i = 0; i < 2; ++i) {
    r.thread("modifier", [&s] { s.value->modify([](heavy& h) { h.add(1); }); });
  }
  r.finally([&s] { model::check(s.value->get().number() == 2, "Both changes were made."); });
}

void modify_and_set(model::run& r) {
  auto& s = r.make<watched>(0);
  r.thread("modifier", [&s] { s.value->modify([](heavy& h) { h.add(1); }); });
  r.thread("setter", [&s] { s.value->set(heavy(10)); });
  r.finally([&s] {
    const int number = s.value->get().number();
    model::check(number == 10 || number == 11, "The change came before the set, or to its value.");
  });
}

void modify_and_close(model::run& r) {
  auto& s = r.make<watched>(0);
  auto mine = std::make_shared<bool>(false);
  r.thread("modifier", [&s, mine] {
    try {
      s.value->modify([](heavy& h) { h.add(1); });
      *mine = true;
    } catch (const queue_closed&) {
    }
  });
  r.thread("closer", [&s] { s.value->close(); });
  r.finally([&s, mine] {
    model::check(s.value->get().number() == (*mine ? 1 : 0), "Made before the close, or not at all.");
  });
}

// A watcher may miss the second value, but not the last one, and then it hears of the close.
void never_misses_the_last(model::run& r) {
  auto& s = r.make<watched>();
  auto& mine = r.make<sluice::watcher<heavy>>(s.value->watcher());
  r.thread("setter", [&s] {
    s.value->set(heavy(2));
    s.value->set(heavy(3));
    s.value->close();
  });
  r.thread("watcher", [&mine] {
    int last = 1;
    while (const auto got = mine.blocking_next()) {
      model::check(got->number() > last, "Each is newer.");
      last = got->number();
    }
    model::check(last == 3, "The last one is seen.");
  });
}

// changed() takes nothing; the first value is new to one that has seen nothing.
void changed(model::run& r) {
  auto& s = r.make<watched>();
  auto& mine = r.make<sluice::watcher<heavy>>(s.value->watcher(from_kept));
  r.thread("setter", [&s] { s.value->set(heavy(2)); });
  r.thread("watcher", [&mine] {
    model::check(mine.blocking_changed(), "It has seen nothing.");
    if ((*mine.try_borrow())->number() == 1) {
      model::check(mine.blocking_changed(std::chrono::hours::max()), "Another has come.");
      model::check(mine.try_next()->number() == 2, "That one.");
    }
    model::check(!mine.try_next(), "There is no more.");
    model::check(test::refused_on_worker([&] { (void)mine.blocking_changed(); }), "A worker is not blocked.");
  });
}

void two_watchers(model::run& r) {
  auto& s = r.make<watched>();
  for (int i = 0; i < 2; ++i) {
    auto& mine = r.make<sluice::watcher<heavy>>(s.value->watcher());
    r.thread("watcher", [&mine] { model::check(mine.blocking_next()->number() == 2, "Each has the value."); });
  }
  r.thread("setter", [&s] { s.value->set(heavy(2)); });
}

void woken_destroys(model::run& r) {
  auto& s = r.make<watched>();
  r.thread("setter", [value = s.value.get()] { value->set(heavy(2)); });
  r.thread("watcher", [&s] {
    {
      auto mine = s.value->watcher();
      // It may have come before the watcher did.
      if (s.value->get().number() != 2) model::check(mine.blocking_next()->number() == 2, "It has the value.");
    }
    s.value.reset();
  });
}

// Nobody waits: who reads the value destroys it, while set() or modify() is still returning.
void reader_destroys(model::run& r) {
  auto& s = r.make<watched>();
  r.thread("modifier", [value = s.value.get()] { value->modify([](heavy& h) { h.add(1); }); });
  r.thread("reader", [&s] {
    if (s.value->get().number() == 2) s.value.reset();
  });
}

void borrowed(model::run& r) {
  auto& s = r.make<watched>();
  r.thread("setter", [&s] {
    s.value->set(heavy(2));
    s.value->set(heavy(3));
  });
  r.thread("borrower", [&s] {
    const auto now = s.value->borrow();
    const int number = now->number();
    const auto later = s.value->borrow();
    model::check(now->number() == number && later->number() >= number, "It does not change.");
  });
}

const model::program p01{"watch<T>: get x set", {}, get_and_set};
const model::program p02{"watch<T>: modify x modify", {}, two_modify};
const model::program p03{"watch<T>: modify x set", {}, modify_and_set};
const model::program p04{"watch<T>: modify x close", {}, modify_and_close};
const model::program p05{"watch<T>: the last value is never missed", {}, never_misses_the_last};
const model::program p06{"watch<T>: changed", {}, changed};
const model::program p07{"watch<T>: two watchers x set", {}, two_watchers};
const model::program p08{"watch<T>: the woken watcher destroys it", {}, woken_destroys};
const model::program p09{"watch<T>: a reader destroys it", {}, reader_destroys};
const model::program p10{"watch<T>: borrowed x set", {}, borrowed};

}  // namespace
