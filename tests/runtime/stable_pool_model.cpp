// models: runtime/stable_pool.hpp runtime/worker_tally.hpp runtime/record_block.hpp
// Blocks come and go between threads, with caches of their own and without: nobody gets one that another holds.
#include <sluice/model/program.hpp>
#include <sluice/runtime/stable_pool.hpp>
#include <sluice/runtime/worker_tally.hpp>

namespace {

using namespace sluice::impl;

struct box : stable_block {
  plain<int> touched{0};
  atomic<int> seen{0};
};

struct blocks {
  stable_pool<box> pool;
  stable_cache caches[2];

  box& take(stable_cache* cache = nullptr) {
    box& mine = pool.take(cache);
    mine.touched.set(mine.touched.get() + 1);
    return mine;
  }
  void check() const {
    const std::uint32_t cached = pool.free_count(caches[0]) + pool.free_count(caches[1]);
    model::check(pool.free_count() + cached == pool.used(), "Every block is free again.");
  }
};

struct two_free : blocks {
  two_free() {
    box& first = pool.take(nullptr);
    box& second = pool.take(nullptr);
    pool.give(first, nullptr);
    pool.give(second, nullptr);
  }
};

void conserves(model::run& r) {
  auto& s = r.make<two_free>();
  const auto work = [&s] { s.pool.give(s.take(), nullptr); };
  r.thread(work);
  r.thread(work);
  r.finally([&s] { s.check(); });
}

// The list is turned round while another thread takes from it.
void turned_round(model::run& r) {
  auto& s = r.make<two_free>();
  r.thread([&s] { s.pool.give(s.take(), nullptr); });
  r.thread([&s] {
    box& newest = s.take();
    box& oldest = s.take();
    s.pool.give(newest, nullptr);
    s.pool.give(oldest, nullptr);
  });
  r.finally([&s] { s.check(); });
}

// Both need the first slab, which is made by one of them; a visitor looks at what is used.
void grows(model::run& r) {
  auto& s = r.make<blocks>();
  r.thread([&s] { s.pool.give(s.take(), nullptr); });
  r.thread([&s] { s.pool.give(s.take(), nullptr); });
  r.thread("visitor", [&s] {
    for (std::uint32_t i = 0; i < s.pool.used(); ++i) (void)s.pool.at(i).seen.load(relaxed);
  });
  r.finally([&s] { s.check(); });
}

// One worker gives more than its cache should hold (two, in a model), another takes what it has given away; a third thread has no
// cache, and takes one out of a batch.
void batches(model::run& r) {
  struct given : blocks {
    given() {
      for (auto& each : held) each = &pool.take(nullptr);
    }
    box* held[3];
  };
  auto& s = r.make<given>();
  r.thread("giver", [&s] {
    for (box* each : s.held) {
      each->touched.set(each->touched.get() + 1);
      s.pool.give(*each, &s.caches[0]);
    }
  });
  r.thread("taker", [&s] {
    box& one = s.take(&s.caches[1]);
    box& another = s.take(&s.caches[1]);
    s.pool.give(one, &s.caches[1]);
    s.pool.give(another, &s.caches[1]);
  });
  r.thread("outsider", [&s] { s.pool.give(s.take(), nullptr); });
  r.finally([&s] { s.check(); });
}

// Started here, ended there: never fewer than there are, and who sees none sees what they did.
void tally(model::run& r) {
  struct state {
    worker_tally counts{2};
    plain<int> done{0};
  };
  auto& s = r.make<state>();
  s.counts.count_start(&s.counts.of(0));
  r.thread("first", [&s] {
    s.counts.count_start(&s.counts.of(0));
    s.counts.count_end(&s.counts.of(0));
  });
  r.thread("second", [&s] {
    s.done.set(1);
    s.counts.count_end(&s.counts.of(1));
  });
  r.thread("asks", [&s] {
    const std::size_t alive = s.counts.alive();
    model::check(alive <= 2, "There are two at the most.");
    if (alive == 0) model::check(s.done.get() == 1, "What an ended task did is seen.");
  });
  r.finally([&s] { model::check(s.counts.alive() == 0, "All have ended."); });
}

// Who has seen the count of a task, started by a worker or by another thread, sees its record.
void counted_first(model::run& r, bool by_worker) {
  struct state {
    worker_tally counts{1};
    plain<int> record{0};
  };
  auto& s = r.make<state>();
  r.thread("starts", [&s, by_worker] {
    s.record.set(1);
    s.counts.count_start(by_worker ? &s.counts.of(0) : nullptr);
  });
  r.thread("asks", [&s] {
    if (s.counts.started() == 1) model::check(s.record.get() == 1, "The record of a counted task is seen.");
  });
  r.finally([&s] { model::check(s.counts.alive() == 1, "The task is counted."); });
}

// Two that are no workers share one count.
void outsiders(model::run& r) {
  struct state {
    worker_tally counts{1};
    plain<int> done[2];
  };
  auto& s = r.make<state>();
  for (int i = 0; i < 2; ++i) s.counts.count_start(nullptr);
  for (auto& mine : s.done) {
    r.thread([&s, &mine] {
      mine.set(1);
      s.counts.count_end(nullptr);
    });
  }
  r.thread("asks", [&s] {
    if (s.counts.alive() != 0) return;
    for (auto& each : s.done) model::check(each.get() == 1, "What an ended task did is seen.");
  });
  r.finally([&s] { model::check(s.counts.alive() == 0, "All have ended."); });
}

const model::program p0{"stable pool: two threads take and give", {}, conserves};
const model::program p1{"stable pool: a list is turned round while another thread takes", {}, turned_round};
const model::program p2{"stable pool: two threads need the first slab", {}, grows};
const model::program p3{"stable pool: batches go from worker to worker", {}, batches};
const model::program p4{"tally: started here, ended there", {}, tally};
const model::program p5{"tally: a worker starts a task", {}, [](model::run& r) { counted_first(r, true); }};
const model::program p6{"tally: another thread starts a task", {}, [](model::run& r) { counted_first(r, false); }};
const model::program p7{"tally: two that are no workers see ends", {}, outsiders};

}  // namespace
