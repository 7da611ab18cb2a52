// Five bugs that shipped elsewhere, rebuilt in a few lines, each beside its repair: a checker that misses
// one of them is broken. The shapes are those that a runtime like ours can have, too.

#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

#include <cstdint>

namespace {

using namespace sluice::impl;
using model::program;
using model::run;
using sluice::impl::pause;  // not the one of <unistd.h>
using word = atomic<std::uint32_t>;

constexpr model::options must_hang{.must_fail = "lost wakeup"};

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
const program rmw_fix{"canary repaired: a seq_cst look for sleepers", {}, notify_after_rmw(seq_cst)};

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
const program close_fix{"canary repaired: close() reads the slot by an RMW", {}, close_against_arming(true)};

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

const program notified_bug{"canary: a waker trusts a stale 'notified'", must_hang, wake_unless_notified(false)};
const program notified_fix{"canary repaired: the waker always exchanges", {}, wake_unless_notified(true)};

// ---- release() notifies only when it finds zero (libstdc++ PR 98033) -----------------------------------------------
// Two releases in a row while two threads sleep: the second finds 1 and wakes nobody.

auto semaphore(bool always_notify) {
  return [always_notify](run& r) {
    struct state {
      word permits{0};
    };
    auto& s = r.make<state>();
    const auto take = [&s] {
      for (;;) {
        auto permits = s.permits.load(acquire);
        if (permits == 0) {
          futex::wait(s.permits, 0);
        } else if (s.permits.compare_exchange_strong(permits, permits - 1, acquire, relaxed)) {
          return;
        }
      }
    };
    r.thread("releaser", [=, &s] {
      for (int i = 0; i < 2; ++i) {
        if (s.permits.fetch_add(1, release) == 0 || always_notify) futex::wake(s.permits, 1);
      }
    });
    r.thread("taker 1", take);
    r.thread("taker 2", take);
  };
}

const program semaphore_bug{"canary: a semaphore notifies only at zero", must_hang, semaphore(false)};
const program semaphore_fix{"canary repaired: a semaphore notifies at each release", {}, semaphore(true)};

// ---- A token is not the head of the queue (folly BoundedQueue e20b4e39a) -------------------------------------------
// Two putters take tickets, publish their cells and release a token each. A token can come from the second cell while
// the first is still unpublished: the getter that holds it must wait for the head cell, not find it empty.

auto token_before_head(bool waits) {
  return [waits](run& r) {
    struct state {
      word tail{0};
      word tokens{0};
      word published[2]{word{0}, word{0}};
      plain<int> items[2]{};
    };
    auto& s = r.make<state>();
    const auto put = [&s] {
      const auto ticket = s.tail.fetch_add(1, relaxed);
      s.items[ticket].set(42);
      s.published[ticket].store(1, release);
      s.tokens.fetch_add(1, release);
      futex::wake(s.tokens, 1);
    };
    r.thread("putter 1", put);
    r.thread("putter 2", put);
    r.thread("getter", [=, &s] {
      auto tokens = s.tokens.load(acquire);
      while (tokens == 0 || !s.tokens.compare_exchange_strong(tokens, tokens - 1, acquire, acquire)) {
        if (tokens == 0) futex::wait(s.tokens, 0);
        tokens = s.tokens.load(acquire);
      }
      while (waits && s.published[0].load(acquire) == 0) pause();
      model::check(s.published[0].load(acquire) == 1, "Who holds a token finds the head cell published.");
      model::check(s.items[0].get() == 42, "The item arrives.");
    });
  };
}

const program token_bug{"canary: a token taken for the head cell",
                        {.must_fail = "finds the head cell published"},
                        token_before_head(false)};
const program token_fix{"canary repaired: wait for the head cell", {}, token_before_head(true)};

}  // namespace
