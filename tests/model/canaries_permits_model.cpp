// Canaries: permits and items lost, doubled or given to the wrong one.

#include <sluice/model/canaries.hpp>

#include <chrono>
#include <cstdint>

namespace {

using namespace canaries;
using sluice::impl::pause;  // not the one of <unistd.h>

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
const program semaphore_fix{"canary repaired: a semaphore notifies at each release", passes, semaphore(true)};

// ---- n permits released, one waiter woken (async-lock #18) ---------------------------------------------------------

auto release_two(int woken) {
  return [woken](run& r) {
    auto& permits = r.make<word>(0u);
    const auto take = [&permits] {
      for (auto seen = permits.load(acquire);;) {
        if (seen == 0) {
          futex::wait(permits, 0);
          seen = permits.load(acquire);
        } else if (permits.compare_exchange_strong(seen, seen - 1, acquire, acquire)) {
          return;
        }
      }
    };
    r.thread("releaser", [=, &permits] {
      permits.fetch_add(2, release);
      futex::wake(permits, woken);
    });
    r.thread("taker 1", take);
    r.thread("taker 2", take);
  };
}

const program two_bug{"canary: two permits released, one taker woken", must_hang, release_two(1)};
const program two_fix{"canary repaired: two permits released, two takers woken", passes, release_two(2)};

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

const program token_bug{"canary: a token taken for the head cell", must_say("finds the head cell published"),
                        token_before_head(false)};
const program token_fix{"canary repaired: wait for the head cell", passes, token_before_head(true)};

// ---- The word is rebuilt without its CLOSED bit (tokio #8021) ------------------------------------------------------
// Bit 0 is CLOSED, above it stand the permits. Who takes permits away computes the word anew and must keep the bit.

auto forget_permits(std::uint32_t kept_bits) {
  return [kept_bits](run& r) {
    auto& state = r.make<word>(2u << 1);
    r.thread("forgetter", [=, &state] {
      auto seen = state.load(acquire);
      while (!state.compare_exchange_strong(seen, ((seen >> 1) - 1) << 1 | (seen & kept_bits), acq_rel, acquire)) {
      }
    });
    r.thread("closer", [&state] { state.fetch_or(1, acq_rel); });
    r.finally([&state] {
      model::check((state.load(relaxed) & 1) == 1, "A closed semaphore stays closed.");
      model::check(state.load(relaxed) >> 1 == 1, "One permit is left.");
    });
  };
}

const program closed_bug{"canary: the word rebuilt without CLOSED", must_say("A closed semaphore stays closed"),
                         forget_permits(0)};
const program closed_fix{"canary repaired: the word rebuilt with CLOSED", passes, forget_permits(1)};

// ---- A cancelled reservation gives back its part and tells nobody (tokio #8260) ------------------------------------
// A reservation of several permits holds some of them when it is cancelled. The closed channel's receiver sleeps until
// all permits are home: each way home ends with a look after it.

auto cancelled_reservation(bool tells) {
  return [tells](run& r) {
    auto& home = r.make<word>(0u);
    r.thread("sender", [&home] {
      home.fetch_add(1, release);
      futex::wake(home, 1);
    });
    r.thread("cancelled reservation", [=, &home] {
      home.fetch_add(1, release);
      if (tells) futex::wake(home, 1);
    });
    r.thread("receiver", [&home] {
      for (std::uint32_t seen; (seen = home.load(acquire)) != 2;) futex::wait(home, seen);
    });
  };
}

const program reserve_bug{"canary: a cancelled reservation tells nobody", must_hang, cancelled_reservation(false)};
const program reserve_fix{"canary repaired: a cancelled reservation tells", passes, cancelled_reservation(true)};

// ---- A waiter is granted a permit and cancelled at the same time ---------------------------------------------------
// The permit of a cancelled waiter goes to the next one in the line if, and only if, it was granted. Putting it
// aside wakes nobody (shuttle #167, embassy #6964, tokio #904); forwarding what was not granted makes two of one
// (Kotlin 9077b014b).

enum class cancelled { puts_aside, forwards_always, forwards_granted };

struct line_of_two {
  enum : std::uint32_t { waiting, granted, left };
  lock guard;
  plain<int> first{0};    // under the lock
  plain<int> permits{0};  // under the lock
  word slots[2]{word{waiting}, word{waiting}};

  void release() {
    guard.take();
    while (first.get() < 2) {
      word& slot = slots[first.get()];
      first.set(first.get() + 1);
      std::uint32_t seen = waiting;
      if (slot.compare_exchange_strong(seen, granted, acq_rel, acquire)) {
        guard.drop();
        futex::wake(slot, 1);
        return;
      }
    }
    permits.set(permits.get() + 1);
    guard.drop();
  }

  void cancel_first(cancelled how) {
    std::uint32_t seen = waiting;
    const bool was_granted = !slots[0].compare_exchange_strong(seen, left, acq_rel, acquire);
    if (how == cancelled::forwards_always || (how == cancelled::forwards_granted && was_granted)) {
      release();
    } else if (was_granted) {
      guard.take();
      permits.set(permits.get() + 1);
      guard.drop();
    }
  }
};

auto cancelled_head(cancelled how) {
  return [how](run& r) {
    auto& line = r.make<line_of_two>();
    r.thread("cancelled head", [=, &line] { line.cancel_first(how); });
    r.thread("releaser", [&line] { line.release(); });
    r.thread("second", [&line] {
      while (line.slots[1].load(acquire) == line_of_two::waiting) futex::wait(line.slots[1], line_of_two::waiting);
    });
    r.finally(
        [&line] { model::check(line.permits.get() == 0, "One release makes one permit, and the second has it."); });
  };
}

const program aside_bug{"canary: a cancelled waiter puts its permit aside", must_hang,
                        cancelled_head(cancelled::puts_aside)};
const program always_bug{"canary: a cancelled waiter forwards what it never had",
                         must_say("One release makes one permit"), cancelled_head(cancelled::forwards_always)};
const program granted_fix{"canary repaired: a cancelled waiter forwards what it was granted", passes,
                          cancelled_head(cancelled::forwards_granted)};

// ---- An old waiter takes the permit of a new one (tokio #7996) -----------------------------------------------------
// A broadcast sets everybody free who waited before it; the single wake after it is for who came later. A waiter of the
// earlier generation must go by the generation, and look at both in one word, before it takes a permit.

auto broadcast_then_single(bool generation_first) {
  return [generation_first](run& r) {
    auto& state = r.make<word>(0u);  // 2 * generation + permit
    const auto take = [&state](std::uint32_t generation, bool leaves) {
      for (auto seen = state.load(acquire);;) {
        if (leaves && seen >> 1 != generation) return;
        if ((seen & 1) == 1) {
          if (state.compare_exchange_strong(seen, seen - 1, acq_rel, acquire)) return;
        } else {
          if (seen >> 1 > generation) return;
          futex::wait(state, seen);
          seen = state.load(acquire);
        }
      }
    };
    r.thread("new waiter", [=, &state] {
      while (state.load(acquire) < 2) futex::wait(state, 0);
      take(1, false);
    });
    r.thread("notifier", [&state] {
      state.fetch_add(2, release);
      futex::wake(state, 2);
      state.fetch_add(1, release);
      futex::wake(state, 1);
    });
    r.thread("old waiter", [=] { take(0, generation_first); });
  };
}

const program old_bug{"canary: an old waiter takes the new permit", must_hang, broadcast_then_single(false)};
const program old_fix{"canary repaired: an old waiter goes by its generation", passes, broadcast_then_single(true)};

// ---- The losing branch of a select (kanal #50, async-channel #87, tokio #5947) -------------------------------------
// A getter waits in two lines and takes one item. A putter parts with its item only when it has won the getter.

auto select_of_two(bool loser_keeps) {
  return [loser_keeps](run& r) {
    struct state {
      word winner{0};
      plain<int> hand{0};
      int kept[2]{0, 0};  // each by its putter
      int got = 0;
    };
    auto& s = r.make<state>();
    for (std::uint32_t i = 0; i < 2; ++i) {
      r.thread("putter", [=, &s] {
        if (!loser_keeps && s.winner.load(acquire) != 0) {
          s.kept[i] = 21;
          return;  // else it parts with the item, come what may
        }
        std::uint32_t seen = 0;
        if (!s.winner.compare_exchange_strong(seen, 1, acquire, relaxed)) {
          if (loser_keeps) s.kept[i] = 21;
          return;
        }
        s.hand.set(21);
        s.winner.store(2, release);
        futex::wake(s.winner, 1);
      });
    }
    r.thread("getter", [&s] {
      for (std::uint32_t seen; (seen = s.winner.load(acquire)) != 2;) futex::wait(s.winner, seen);
      s.got = s.hand.get();
    });
    r.finally([&s] { model::check(s.got + s.kept[0] + s.kept[1] == 42, "Both items are somewhere."); });
  };
}

const program select_bug{"canary: the losing branch of a select drops its item", must_say("Both items are somewhere"),
                         select_of_two(false)};
const program select_fix{"canary repaired: the losing branch keeps its item", passes, select_of_two(true)};

// ---- The item of a waiter that times out (asyncio #256, #343) ------------------------------------------------------
// The putter hands its item to a waiting getter, whose time is up meanwhile: who leaves must look whether it was served.

auto timed_getter(bool looks) {
  return [looks](run& r) {
    enum : std::uint32_t { waiting, served, left };
    struct state {
      word slot{waiting};
      plain<int> item{0};
      int queued = 0;
      int got = 0;
    };
    auto& s = r.make<state>();
    r.thread("putter", [&s] {
      s.item.set(42);
      std::uint32_t seen = waiting;
      if (s.slot.compare_exchange_strong(seen, served, release, relaxed)) {
        futex::wake(s.slot, 1);
      } else {
        s.queued = s.item.get();
      }
    });
    r.thread("getter", [=, &s] {
      const bool in_time = futex::wait_until(s.slot, waiting, now() + std::chrono::seconds{1});
      const bool was_served = s.slot.exchange(left, acquire) == served;
      if (was_served && (looks || in_time)) s.got = s.item.get();
    });
    r.finally([&s] { model::check(s.got + s.queued == 42, "The item is delivered once, or stays in the queue."); });
  };
}

const program timed_bug{"canary: a getter times out with an item in its hands", must_say("The item is delivered once"),
                        timed_getter(false)};
const program timed_fix{"canary repaired: a getter looks when its time is up", passes, timed_getter(true)};

}  // namespace
