// Canaries: work or news that nobody wakes up for.

#include <sluice/model/canaries.hpp>

#include <cstdint>

namespace {

using namespace canaries;

// ---- "My queue was empty a moment ago" skips the second look (TooManyCooks #175) -----------------------------------
// A worker looks into all queues, announces that it sleeps, and looks again. What it remembers of the first look is
// worth nothing in the second: a post in between has seen no sleeper.

auto second_look(bool trusts_the_first) {
  return [trusts_the_first](run& r) {
    struct state {
      word queues[2]{word{0}, word{0}};  // the worker's own, and another
      word sleeping{0};
      plain<int> item{0};
    };
    auto& s = r.make<state>();
    r.thread("poster", [&s] {
      s.item.set(42);
      s.queues[0].store(1, seq_cst);
      if (s.sleeping.load(seq_cst) == 0) return;
      s.sleeping.store(0, release);
      futex::wake(s.sleeping, 1);
    });
    r.thread("worker", [=, &s] {
      bool was_empty = true;
      for (auto& queue : s.queues) was_empty = queue.load(acquire) == 0 && was_empty;
      if (was_empty) {
        s.sleeping.store(1, seq_cst);
        const bool own = !trusts_the_first && s.queues[0].load(seq_cst) != 0;
        if (!own && s.queues[1].load(seq_cst) == 0) {
          while (s.sleeping.load(acquire) == 1) futex::wait(s.sleeping, 1);
        }
      }
      model::check(s.item.get() == 42, "The item arrives.");
    });
  };
}

const program look_bug{"canary: an earlier look at a queue for the second one", must_hang, second_look(true)};
const program look_fix{"canary repaired: the second look is at all queues", passes, second_look(false)};

// ---- One idle thread, claimed twice (suspected in tokio #8056) -----------------------------------------------------
// A pool for blocking jobs starts a thread unless one is idle. Whoever counts on an idle thread must take it out of the
// count itself; if the thread does so when it wakes, two jobs count on the same one, and a job can take for ever.

auto blocking_pool(bool submitter_claims) {
  return [submitter_claims](run& r) {
    struct state {
      word idle{1};
      word jobs{0};
    };
    auto& s = r.make<state>();
    const auto take_job = [&s] {
      for (std::uint32_t jobs = s.jobs.load(acquire);
           !s.jobs.compare_exchange_strong(jobs, jobs - 1, acquire, acquire);) {
      }
    };
    const auto submit = [=, &s] {
      s.jobs.fetch_add(1, release);
      auto idle = s.idle.load(acquire);
      if (submitter_claims) {
        while (idle != 0 && !s.idle.compare_exchange_strong(idle, idle - 1, acq_rel, acquire)) {
        }
      }
      if (idle != 0) {
        futex::wake(s.jobs, 1);
      } else {
        take_job();  // as a thread would that is started now
      }
    };
    r.thread("submitter 1", submit);
    r.thread("idle thread", [=, &s] {
      while (s.jobs.load(acquire) == 0) futex::wait(s.jobs, 0);
      if (!submitter_claims) s.idle.fetch_sub(1, acq_rel);
      take_job();
    });
    r.thread("submitter 2", submit);
    r.finally([&s] { model::check(s.jobs.load(relaxed) == 0, "Each of the jobs has a thread."); });
  };
}

const program idle_bug{"canary: one idle thread claimed twice", must_say("Each of the jobs has a thread"),
                       blocking_pool(false)};
const program idle_fix{"canary repaired: the submitter takes the idle thread", passes, blocking_pool(true)};

// ---- The next expiry is published after the locks were dropped (tokio #6683) ---------------------------------------
// The driver reads the earliest expiry of each shard and publishes it as its next wake-up. A timer that comes in
// between compares itself with the wake-up before, which is earlier, and wakes nobody; the driver saw no timer and
// sleeps for ever.

auto next_wake(bool under_locks) {
  return [under_locks](run& r) {
    constexpr std::uint32_t earlier = 1;
    constexpr std::uint32_t later = 2;
    constexpr std::uint32_t never = 3;
    struct state {
      lock guards[2];
      plain<std::uint32_t> expiry[2]{plain<std::uint32_t>{never}, plain<std::uint32_t>{never}};
      word next_wake{earlier};
      word unparked{0};
    };
    auto& s = r.make<state>();
    r.thread("driver", [=, &s] {
      auto next = never;
      for (int i = 0; i < 2; ++i) {
        s.guards[i].take();
        if (s.expiry[i].get() < next) next = s.expiry[i].get();
        if (!under_locks) s.guards[i].drop();
      }
      s.next_wake.store(next, release);
      for (int i = 0; under_locks && i < 2; ++i) s.guards[i].drop();
      while (next == never && s.unparked.load(acquire) == 0) futex::wait(s.unparked, 0);
    });
    r.thread("newcomer", [=, &s] {
      s.guards[0].take();
      s.expiry[0].set(later);
      const bool is_next = later < s.next_wake.load(acquire);
      s.guards[0].drop();
      if (!is_next) return;
      s.unparked.store(1, release);
      futex::wake(s.unparked, 1);
    });
  };
}

const program expiry_bug{"canary: the next expiry published without the locks", must_hang, next_wake(false)};
const program expiry_fix{"canary repaired: the next expiry published under the locks", passes, next_wake(true)};

// ---- Shutdown misses who is about to wait (libcoro #402, #399, #125) -----------------------------------------------
// Between the look at `closed` and the entry into the line shutdown empties the line: both belong under one lock.

auto shutdown_of_line(bool looks_inside) {
  return [looks_inside](run& r) {
    struct state {
      lock guard;
      word closed{0};
      plain<int> waiting{0};  // under the lock
      word signal{0};
    };
    auto& s = r.make<state>();
    r.thread("shutdown", [&s] {
      s.guard.take();
      s.closed.store(1, release);
      const int waiting = s.waiting.get();
      s.guard.drop();
      if (waiting == 0) return;
      s.signal.store(1, release);
      futex::wake(s.signal, waiting);
    });
    r.thread("acquirer", [=, &s] {
      if (!looks_inside && s.closed.load(acquire) == 1) return;
      s.guard.take();
      const bool enters = !looks_inside || s.closed.load(relaxed) == 0;
      if (enters) s.waiting.set(s.waiting.get() + 1);
      s.guard.drop();
      while (enters && s.signal.load(acquire) == 0) futex::wait(s.signal, 0);
    });
  };
}

const program shutdown_bug{"canary: shutdown misses an acquirer", must_hang, shutdown_of_line(false)};
const program shutdown_fix{"canary repaired: the acquirer looks under the lock", passes, shutdown_of_line(true)};

}  // namespace
