// stresses: queues/queue.hpp queues/queue_core.hpp queues/ring.hpp queues/task_context.hpp queues/thread_context.hpp
// Real threads over small queues: conservation under chaos.
#include <sluice/queues/queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <span>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using test::coroutine;
using test::executor;

constexpr int threads = 4;          // on each side
constexpr std::size_t at_once = 4;  // coroutines on each thread, each in a slot of its own

// What happened, counted per item: each accepted item must be delivered exactly once.
struct ledger {
  explicit ledger(std::size_t items) : delivered(items) {}
  std::vector<impl::atomic<int>> delivered;
  impl::atomic<long> accepted{0};
  impl::atomic<long> refused{0};
  impl::atomic<long> cancelled_gets{0};
};

// A target for cancellations from other threads. Who takes the context out of the slot cancels it before giving it back.
struct cancel_slot {
  impl::atomic<impl::task_context*> target{nullptr};
  impl::atomic<int> returned{0};
  bool busy = false;  // the home thread's: a coroutine uses it

  void open(impl::task_context& context) { target.store(&context, impl::release); }  // E1 publish: the context
  void close() {
    if (target.exchange(nullptr, impl::acq_rel) != nullptr) return;
    while (returned.load(impl::acquire) == 0) impl::yield_thread();  // E2 observe: the canceller is done with it
    returned.store(0, impl::relaxed);
  }
  void cancel() {
    if (impl::task_context* context = target.exchange(nullptr, impl::acq_rel)) {  // E1 observe
      context->cancel();
      returned.store(1, impl::release);  // E2 publish
    }
  }
};

using item = std::unique_ptr<int>;

// Gives a coroutine its own context.
struct own_context {
  struct awaiter {
    impl::task_context* context;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    impl::task_context* await_resume() const noexcept { return context; }
  };
  awaiter bind(impl::task_context& context) && { return {&context}; }
};

// One put that may be cancelled at any moment from another thread.
coroutine put_once(executor&, queue<item>& q, int value, ledger& book, cancel_slot& slot) {
  impl::task_context* self = co_await own_context{};
  item mine = std::make_unique<int>(value);
  slot.open(*self);
  bool accepted = false;
  try {
    co_await q.put(std::move(mine));
    accepted = true;
  } catch (const cancelled&) {
  }
  slot.close();
  slot.busy = false;
  EXPECT_EQ(accepted, mine == nullptr) << "a put that failed must still hold its value";
  (accepted ? book.accepted : book.refused).fetch_add(1, impl::relaxed);
  if (!accepted) book.delivered[static_cast<std::size_t>(value)].fetch_add(1000, impl::relaxed);
}

coroutine get_once(executor&, queue<item>& q, ledger& book, cancel_slot& slot, bool& ended) {
  impl::task_context* self = co_await own_context{};
  slot.open(*self);
  std::optional<item> got;
  bool stopped = false;
  try {
    got = co_await q.next();
  } catch (const cancelled&) {
    stopped = true;
  }
  slot.close();
  slot.busy = false;
  if (got) {
    book.delivered[static_cast<std::size_t>(**got)].fetch_add(1, impl::relaxed);
    q.task_done();
  } else if (stopped) {
    book.cancelled_gets.fetch_add(1, impl::relaxed);
  } else {
    ended = true;
  }
}

using slots = std::vector<cancel_slot>;

// Runs what is runnable, starts a coroutine in every idle slot of this thread, and cancels somebody's wait now and then.
template <class Start>
void drive(slots& all, std::size_t self, Start start) {
  executor e;
  std::minstd_rand random(static_cast<unsigned>(self) + 1);
  for (bool more = true; more || e.live > 0;) {
    for (std::size_t i = self * at_once; i < (self + 1) * at_once; ++i) {
      if (all[i].busy || !more) continue;
      all[i].busy = true;
      more = start(e, all[i]);
    }
    if (random() % 4 == 0) all[random() % all.size()].cancel();
    if (!e.run()) impl::yield_thread();
  }
}

// `meanwhile` is called again and again by a thread of its own until all has been put.
template <class Meanwhile>
void chaos(queue<item>& q, int per_putter, Meanwhile meanwhile) {
  ledger book(static_cast<std::size_t>(threads * per_putter));
  slots all(2 * threads * at_once);
  std::vector<std::thread> putting;
  std::vector<std::thread> getting;
  for (int t = 0; t < threads; ++t) {
    const auto self = static_cast<std::size_t>(t);
    putting.emplace_back([&, t, self] {
      // The getters cancel each other's waits for the first item: where no put waits, that may be all there is to cancel.
      while (book.cancelled_gets.load(impl::relaxed) == 0) impl::yield_thread();
      int next = t * per_putter;
      const int end = next + per_putter;
      drive(all, self, [&](executor& e, cancel_slot& slot) {
        if (next == end) return slot.busy = false;
        put_once(e, q, next++, book, slot);
        return true;
      });
    });
    getting.emplace_back([&, self] {
      bool ended = false;
      drive(all, self + threads, [&](executor& e, cancel_slot& slot) {
        if (ended) return slot.busy = false;
        get_once(e, q, book, slot, ended);
        return true;
      });
    });
  }
  impl::atomic<bool> over{false};
  std::thread disturber([&] {
    while (!over.load(impl::relaxed) && meanwhile()) impl::yield_thread();
  });
  for (auto& t : putting) t.join();
  over.store(true, impl::relaxed);
  disturber.join();
  q.blocking_join();
  q.close();
  for (auto& t : getting) t.join();
  EXPECT_EQ(book.accepted.load(impl::relaxed) + book.refused.load(impl::relaxed), threads * per_putter);
  for (auto& count : book.delivered) {
    const int n = count.load(impl::relaxed);
    ASSERT_TRUE(n == 1 || n == 1000) << "an item was lost, delivered twice, or both refused and delivered: " << n;
  }
  testing::Test::RecordProperty("refused", static_cast<int>(book.refused.load(impl::relaxed)));
  testing::Test::RecordProperty("cancelled_gets", static_cast<int>(book.cancelled_gets.load(impl::relaxed)));
}

template <class Kind>
void calm_chaos(Kind kind, int per_putter) {
  queue<item> q{kind};
  chaos(q, per_putter, [] { return false; });
}

TEST(queue_stress, nothing_is_lost_under_random_cancellation_at_capacity_1) { calm_chaos(std::size_t{1}, 25000); }
TEST(queue_stress, nothing_is_lost_under_random_cancellation_at_capacity_2) { calm_chaos(std::size_t{2}, 25000); }
TEST(queue_stress, nothing_is_lost_under_random_cancellation_at_capacity_7) { calm_chaos(std::size_t{7}, 25000); }
TEST(queue_stress, nothing_is_lost_under_random_cancellation_at_a_rendezvous) { calm_chaos(rendezvous, 10000); }
TEST(queue_stress, nothing_is_lost_under_random_cancellation_without_a_bound) {
  queue<item> q{unbounded};
  chaos(q, 25000, [] { return false; });
}

TEST(queue_stress, nothing_is_lost_while_the_capacity_changes) {
  queue<item> q{1};
  std::size_t next = 1;
  chaos(q, 25000, [&] {
    q.set_capacity(next);
    next = next * 5 % 257 + 1;  // 1, 6, 31, 156 and so on: up and down, and through four sizes of array
    return true;
  });
}

// Several at a time, beside single ones, with short patience: what came out is what went in.
TEST(queue_stress, nothing_is_lost_of_several) {
  using namespace std::chrono_literals;
  constexpr int count = 20000;
  for (int kind = 0; kind < 3; ++kind) {
    auto q = kind == 0   ? std::make_unique<queue<item>>(5)
             : kind == 1 ? std::make_unique<queue<item>>(unbounded)
                         : std::make_unique<queue<item>>(rendezvous);
    ledger book(2 * count);
    const auto put = [&](int from) {
      for (int i = from; i < from + count;) {
        std::vector<item> mine;
        for (int k = 0; k < 9 && i < from + count; ++k) mine.push_back(std::make_unique<int>(i++));
        for (std::size_t moved = 0; moved < mine.size();) {
          try {
            moved += q->blocking_put_many(std::span(mine).subspan(moved), 20us);
          } catch (const timed_out&) {
          }
          for (std::size_t k = 0; k < mine.size(); ++k) ASSERT_EQ(mine[k] == nullptr, k < moved);
        }
      }
    };
    const auto get = [&](std::size_t at_most) {
      for (std::vector<item> out(at_most);;) {
        try {
          const std::size_t got = q->blocking_get_many(out, 20us);
          if (got == 0) return;
          for (std::size_t k = 0; k < got; ++k)
            book.delivered[static_cast<std::size_t>(*out[k])].fetch_add(1, impl::relaxed);
          q->task_done(got);
        } catch (const timed_out&) {
        }
      }
    };
    std::thread a(put, 0);
    std::thread b(put, count);
    std::thread c(get, 4);
    std::thread d(get, 1);
    a.join();
    b.join();
    q->blocking_join();
    q->close();
    c.join();
    d.join();
    for (auto& n : book.delivered) ASSERT_EQ(n.load(impl::relaxed), 1);
  }
}

TEST(queue_stress, plain_threads_with_short_patience_lose_nothing) {
  using namespace std::chrono_literals;
  constexpr int count = 20000;
  queue<item> q{2};
  ledger book(2 * count);
  const auto put = [&](int from) {
    for (int i = from; i < from + count; ++i) {
      item mine = std::make_unique<int>(i);
      while (mine != nullptr) {
        try {
          q.blocking_put(std::move(mine), 20us);
        } catch (const timed_out&) {
          ASSERT_NE(mine, nullptr);
          book.refused.fetch_add(1, impl::relaxed);
        }
      }
    }
  };
  const auto get = [&] {
    for (;;) {
      try {
        auto got = q.blocking_next(20us);
        if (!got) return;
        book.delivered[static_cast<std::size_t>(**got)].fetch_add(1, impl::relaxed);
        q.task_done();
      } catch (const timed_out&) {
        book.cancelled_gets.fetch_add(1, impl::relaxed);
      }
    }
  };
  std::thread a(put, 0);
  std::thread b(put, count);
  std::thread c(get);
  std::thread d(get);
  a.join();
  b.join();
  q.blocking_join();
  q.close();
  c.join();
  d.join();
  for (auto& n : book.delivered) ASSERT_EQ(n.load(impl::relaxed), 1);
}

TEST(queue_stress, a_queue_may_be_destroyed_as_soon_as_its_last_wait_returned) {
  for (int i = 0; i < 5000; ++i) {
    auto q = std::make_unique<queue<int>>(1);
    std::thread putter([&target = *q] { target.blocking_put(1); });
    EXPECT_EQ(q->blocking_get(), 1);
    q.reset();
    putter.join();
  }
  for (int i = 0; i < 5000; ++i) {
    auto q = std::make_unique<queue<int>>(1);
    q->blocking_put(1);
    std::thread worker([&target = *q] { target.task_done(); });
    q->blocking_join();
    q.reset();
    worker.join();
  }
}

}  // namespace
}  // namespace sluice
