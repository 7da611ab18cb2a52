// Canaries: an order too weak, or an RMW taken for a fence.

#include <sluice/model/canaries.hpp>

#include <cstdint>

namespace {

using namespace canaries;

// ---- An RMW is not a fence (oneTBB #2136) --------------------------------------------------------------------------
// The notifier publishes work by an RMW and then looks for sleepers; the sleeper announces itself and then looks for
// work. Both halves must be seq_cst (a Dekker pair): after a relaxed look the RMW before it helps nothing.

auto notify_after_rmw(order look) {
  return [look](run& r) {
    struct state {
      word empty{1};
      word sleepers{0};
      word epoch{0};
      plain<int> work{0};
    };
    auto& s = r.make<state>();
    r.thread("notifier", [=, &s] {
      s.work.set(42);
      s.empty.exchange(0, seq_cst);
      if (s.sleepers.load(look) == 0) return;
      s.epoch.fetch_add(1, release);
      futex::wake(s.epoch, 1);
    });
    r.thread("sleeper", [&s] {
      while (s.empty.load(acquire) != 0) {
        const auto epoch = s.epoch.load(acquire);
        s.sleepers.fetch_add(1, seq_cst);
        if (s.empty.load(seq_cst) == 0) break;
        futex::wait(s.epoch, epoch);
        s.sleepers.fetch_sub(1, relaxed);
      }
      model::check(s.work.get() == 42, "The work arrives.");
    });
  };
}

const program rmw_bug{"canary: a relaxed look for sleepers after an RMW", must_hang, notify_after_rmw(relaxed)};
const program rmw_fix{"canary repaired: a seq_cst look for sleepers", passes, notify_after_rmw(seq_cst)};

// ---- close() only looks at the slot of the consumer (TooManyCooks #242) --------------------------------------------
// The consumer arms its slot and then reads `closed`; close() sets `closed` and then reads the slot. A plain
// read may be older than the arming; an RMW that changes nothing cannot be.

auto close_against_arming(bool by_rmw) {
  return [by_rmw](run& r) {
    struct state {
      word closed{0};
      word armed{0};
      word signal{0};
    };
    auto& s = r.make<state>();
    r.thread("closer", [=, &s] {
      s.closed.store(1, release);
      const auto armed = by_rmw ? s.armed.fetch_or(0, acq_rel) : s.armed.load(acquire);
      if (armed == 0) return;
      s.signal.store(1, release);
      futex::wake(s.signal, 1);
    });
    r.thread("consumer", [&s] {
      s.armed.exchange(1, acq_rel);
      if (s.closed.load(acquire) != 0) return;
      while (s.signal.load(acquire) == 0) futex::wait(s.signal, 0);
    });
  };
}

const program close_bug{"canary: close() reads the slot of a consumer", must_hang, close_against_arming(false)};
const program close_fix{"canary repaired: close() reads the slot by an RMW", passes, close_against_arming(true)};

// ---- The waker trusts a stale "already notified" (tokio #7622, bun #28907) -----------------------------------------
// If the state says that the consumer will run anyway, the waker leaves; but its read may be older than the
// consumer's reset, and leaving without an RMW publishes nothing.

auto wake_unless_notified(bool always_rmw) {
  return [always_rmw](run& r) {
    struct state {
      word notified{1};
      word event{0};
      word signal{0};
    };
    auto& s = r.make<state>();
    r.thread("waker", [=, &s] {
      s.event.store(1, relaxed);
      if (!always_rmw && s.notified.load(acquire) == 1) return;
      if (s.notified.exchange(1, acq_rel) == 1) return;
      s.signal.fetch_add(1, release);
      futex::wake(s.signal, 1);
    });
    r.thread("consumer", [&s] {
      for (;;) {
        s.notified.exchange(0, acq_rel);
        if (s.event.load(relaxed) == 1) return;
        while (s.signal.load(acquire) == 0) futex::wait(s.signal, 0);
        s.signal.store(0, relaxed);
      }
    });
  };
}

const program notified_bug{"canary: a waker trusts a stale notification", must_hang, wake_unless_notified(false)};
const program notified_fix{"canary repaired: the waker always exchanges", passes, wake_unless_notified(true)};

// ---- A seq_cst load does not order an earlier release store (Seastar 788c46cb3) ------------------------------------
// The producer publishes and then looks for a sleeper; the load may pass the store, seq_cst or not, and on x86
// it does. Both halves of a Dekker pair are seq_cst, or neither is worth anything.

auto look_after_store(order publish) {
  return [publish](run& r) {
    struct state {
      word tail{0};
      word sleeping{0};
      plain<int> item{0};
    };
    auto& s = r.make<state>();
    r.thread("producer", [=, &s] {
      s.item.set(42);
      s.tail.store(1, publish);
      if (s.sleeping.load(seq_cst) == 0) return;
      s.sleeping.store(0, release);
      futex::wake(s.sleeping, 1);
    });
    r.thread("consumer", [&s] {
      s.sleeping.store(1, seq_cst);
      if (s.tail.load(seq_cst) == 0) {
        while (s.sleeping.load(acquire) == 1) futex::wait(s.sleeping, 1);
      }
      model::check(s.item.get() == 42, "The item arrives.");
    });
  };
}

const program store_bug{"canary: a release store before a seq_cst load", must_hang, look_after_store(release)};
const program store_fix{"canary repaired: a seq_cst store before a seq_cst load", passes, look_after_store(seq_cst)};

// ---- The claim and the tail are seen by different threads (moodycamel 0947618) -------------------------------------
// Who is allowed to take an item is decided by a claim and the tail; which item it is, by the head. Of two getters, the
// one that saw the longer tail may come first at the head: the other one's item is known only through it.

auto claim_then_index(order at_head) {
  return [at_head](run& r) {
    struct state {
      word tail{0};
      word claims{0};
      word head{0};
      plain<int> items[2]{};
    };
    auto& s = r.make<state>();
    r.thread("putter", [&s] {
      for (std::uint32_t i = 0; i < 2; ++i) {
        s.items[i].set(42);
        s.tail.store(i + 1, release);
      }
    });
    const auto get = [=, &s] {
      const auto claim = s.claims.fetch_add(1, relaxed);
      if (claim >= s.tail.load(acquire)) return;
      const auto index = s.head.fetch_add(1, at_head);
      model::check(s.items[index].get() == 42, "The item arrives.");
    };
    r.thread("getter 1", get);
    r.thread("getter 2", get);
  };
}

const program head_bug{"canary: a relaxed fetch_add on the head", must_race, claim_then_index(relaxed)};
const program head_fix{"canary repaired: an acq_rel fetch_add on the head", passes, claim_then_index(acq_rel)};

// ---- A latch counts down relaxed (folly 611cfd851, 5009049e9, d8ed9cd28, fe27f3930) --------------------------------
// Who finds zero must see what the counting threads did before. A release sequence goes on through the second
// decrement, so that release is enough.

auto latch(order count_down) {
  return [count_down](run& r) {
    struct state {
      word pending{2};
      plain<int> results[2]{};
    };
    auto& s = r.make<state>();
    for (int i = 0; i < 2; ++i) {
      r.thread("worker", [=, &s] {
        s.results[i].set(21);
        if (s.pending.fetch_sub(1, count_down) == 1) futex::wake(s.pending, 1);
      });
    }
    r.thread("waiter", [&s] {
      for (std::uint32_t pending; (pending = s.pending.load(acquire)) != 0;) futex::wait(s.pending, pending);
      model::check(s.results[0].get() + s.results[1].get() == 42, "Both results arrive.");
    });
  };
}

const program latch_bug{"canary: a latch counts down relaxed", must_race, latch(relaxed)};
const program latch_fix{"canary repaired: a latch counts down with release", passes, latch(release)};

}  // namespace
