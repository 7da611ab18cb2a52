// Litmus programs of what the protocols do beyond the textbook: release sequences with several heads, exchanges that fail,
// accesses of different orders, and where the documented holes show in them. Outcomes as in litmus_model.cpp.

#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

#include <string>
#include <vector>

namespace {

using namespace sluice::impl;
using model::options;
using model::program;
using model::run;

struct state {
  atomic<int> x{0};
  atomic<int> y{0};
  atomic<int> z{0};
  plain<int> first{0};
  plain<int> second{0};
  int a = 0;
  int b = 0;
  int c = 0;
  int d = 0;
};

const options races{.must_fail = "Data race", .cross_check = true};
const options passes{.cross_check = true};

// All outcomes of `bits` binary digits except one.
options all_but(const std::string& forbidden, int bits) {
  options o{.cross_check = true};
  for (int n = 0; n < 1 << bits; ++n) {
    std::string text;
    for (int i = bits - 1; i >= 0; --i) text += (n >> i & 1) != 0 ? '1' : '0';
    if (text != forbidden) o.outcomes.push_back(text);
  }
  return o;
}

// ---- Release sequences with two heads ------------------------------------------------------------------------------

// y = 1 publishes `first`; the add that makes it 2 goes on with that, and publishes `second` only if it releases itself.
auto two_heads(order add, bool second_too) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([&s] {
      s.first.set(1);
      s.y.store(1, release);
    });
    r.thread([=, &s] {
      s.second.set(2);
      if (s.y.load(relaxed) == 1) s.y.fetch_add(1, add);
    });
    r.thread([=, &s] {
      if (s.y.load(acquire) != 2) return;
      model::check(s.first.get() == 1, "The first head's.");
      if (second_too) model::check(s.second.get() == 2, "The second head's.");
    });
  };
}

const program heads_1{"litmus: who reads a releasing RMW has both heads", passes, two_heads(release, true)};
const program heads_2{"litmus: who reads a relaxed RMW has the first head", passes, two_heads(relaxed, false)};
const program heads_3{"litmus: a relaxed RMW publishes nothing of its own", races, two_heads(relaxed, true)};
const program heads_4{"litmus: an acquiring RMW publishes nothing of its own", races, two_heads(acquire, true)};

// A release fence, a relaxed store, two relaxed RMWs, an acquire fence.
auto fenced_chain(bool store_between) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([&s] {
      s.first.set(1);
      fence(release);
      s.y.store(1, relaxed);
    });
    r.thread([=, &s] {
      if (s.y.load(relaxed) != 1) return;
      if (store_between) {
        s.y.store(2, relaxed);
      } else {
        s.y.fetch_add(1, relaxed);
      }
    });
    r.thread([&s] {
      int expected = 2;
      s.y.compare_exchange_strong(expected, 3, relaxed, relaxed);
    });
    r.thread([&s] {
      if (s.y.load(relaxed) != 3) return;
      fence(acquire);
      model::check(s.first.get() == 1, "Published.");
    });
  };
}

const program fenced_1{"litmus: a fence heads a release sequence through two relaxed RMWs", passes,
                       fenced_chain(false)};
const program fenced_2{"litmus: a store between ends it", races, fenced_chain(true)};

// ---- Exchanges that fail -------------------------------------------------------------------------------------------

auto failed_exchange(order failure, bool fenced) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([&s] {
      s.first.set(1);
      s.y.store(1, release);
    });
    r.thread([=, &s] {
      int expected = 5;
      s.y.compare_exchange_strong(expected, 6, acq_rel, failure);
      if (fenced) fence(acquire);
      if (expected == 1) model::check(s.first.get() == 1, "Published.");
    });
  };
}

const program failed_1{"litmus: an exchange that fails acquires by its second order", passes,
                       failed_exchange(acquire, false)};
const program failed_2{"litmus: an exchange that fails relaxed acquires nothing", races,
                       failed_exchange(relaxed, false)};
const program failed_3{"litmus: an exchange that fails relaxed, then an acquire fence", passes,
                       failed_exchange(relaxed, true)};

auto dekker_by_exchange(order failure) {
  return [=](run& r) {
    auto& s = r.make<state>();
    const auto look = [=](atomic<int>& mine, atomic<int>& other, int& seen) {
      mine.store(1, seq_cst);
      seen = 7;
      other.compare_exchange_strong(seen, 8, seq_cst, failure);
    };
    r.thread([=, &s] { look(s.x, s.y, s.a); });
    r.thread([=, &s] { look(s.y, s.x, s.b); });
    r.finally([&s] { model::outcome({s.a, s.b}); });
  };
}

const program dekker_1{"litmus: Dekker, the look is an exchange that fails seq_cst", all_but("00", 2),
                       dekker_by_exchange(seq_cst)};
const program dekker_2{"litmus: Dekker, the look is an exchange that fails relaxed", all_but("", 2),
                       dekker_by_exchange(relaxed)};

// Store buffering where the look is an RMW that changes nothing. If both do so, only 2+2W could hide both stores.
auto look_by_add(bool both) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] {
      s.x.store(1, release);
      s.a = both ? s.y.fetch_add(0, acq_rel) : s.y.load(acquire);
    });
    r.thread([&s] {
      s.y.store(1, release);
      s.b = s.x.fetch_add(0, acq_rel);
    });
    r.finally([&s] { model::outcome({s.a, s.b}); });
  };
}

const program add_1{"litmus: SB, both look by an RMW (hole: C++20 allows 00, too)", all_but("00", 2),
                    look_by_add(true)};
const program add_2{"litmus: SB, one looks by an RMW", all_but("", 2), look_by_add(false)};

// ---- Orders that differ --------------------------------------------------------------------------------------------

auto independent_reads(order stores, order load_first, order load_second) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] { s.x.store(1, stores); });
    r.thread([=, &s] { s.y.store(1, stores); });
    r.thread([=, &s] {
      s.a = s.x.load(load_first);
      s.b = s.y.load(load_second);
    });
    r.thread([=, &s] {
      s.c = s.y.load(load_first);
      s.d = s.x.load(load_second);
    });
    r.finally([&s] { model::outcome({s.a, s.b, s.c, s.d}); });
  };
}

const program iriw_1{"litmus: IRIW, seq_cst stores, acquire loads", all_but("", 4),
                     independent_reads(seq_cst, acquire, acquire)};
const program iriw_2{"litmus: IRIW, seq_cst stores, acquire before seq_cst loads (hole: C++20 allows 1010, too)",
                     all_but("1010", 4), independent_reads(seq_cst, acquire, seq_cst)};
const program iriw_3{"litmus: IRIW, seq_cst stores, seq_cst before acquire loads", all_but("", 4),
                     independent_reads(seq_cst, seq_cst, acquire)};
const program iriw_4{"litmus: IRIW, release stores, seq_cst loads", all_but("1010", 4),
                     independent_reads(release, seq_cst, seq_cst)};

// A seq_cst store is handed on by release and acquire; its reader, and a third thread, look at each other.
auto handed_on(order look) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([&s] {
      s.x.store(1, seq_cst);
      s.y.store(1, release);
    });
    r.thread([=, &s] {
      s.a = s.y.load(acquire);
      s.b = s.z.load(look);
    });
    r.thread([&s] {
      s.z.store(1, seq_cst);
      s.c = s.x.load(seq_cst);
    });
    r.finally([&s] { model::outcome({s.a, s.b, s.c}); });
  };
}

const program wrwc_1{"litmus: W+RWC, seq_cst look", all_but("100", 3), handed_on(seq_cst)};
const program wrwc_2{"litmus: W+RWC, acquire look", all_but("", 3), handed_on(acquire)};

// Z6.U of P0668: C++20 lets the order of seq_cst operations go against happens-before where that is not "strongly" so. The
// checker's is the order of execution.
const program z6u{
    "litmus: Z6.U (hole: C++20 allows 130, too)", passes, [](run& r) {
      auto& s = r.make<state>();
      r.thread([&s] {
        s.x.store(1, seq_cst);
        s.y.store(1, release);
      });
      r.thread([&s] {
        s.a = s.y.fetch_add(1, seq_cst);
        s.b = s.y.load(relaxed);
      });
      r.thread([&s] {
        s.y.store(3, seq_cst);
        s.c = s.x.load(seq_cst);
      });
      r.finally([&s] { model::check(s.a != 1 || s.b != 3 || s.c != 0, "The hole is closed: say so in the README."); });
    }};

}  // namespace
