// Canaries: nodes, buffers and frames used after their end, or found twice.

#include <sluice/model/canaries.hpp>

#include <coroutine>
#include <cstdint>

namespace {

using namespace canaries;
using sluice::impl::pause;  // not the one of <unistd.h>

// ---- Cancelled between the hand-over and the wheel (tokio #8252) ---------------------------------------------------
// A timer is handed over to the driver, which puts it into the wheel. A cancellation before that finds nothing to
// take out; the driver must find it instead, in the same step in which it says that the timer is in the wheel.

auto cancelled_timer(bool in_one_step) {
  return [in_one_step](run& r) {
    enum : std::uint32_t { handed_over, in_wheel, cancelled };
    struct state {
      word timer{handed_over};
      word removal{0};
      bool kept = false;
    };
    auto& s = r.make<state>();
    r.thread("driver", [=, &s] {
      std::uint32_t seen = handed_over;
      if (in_one_step) {
        s.kept = s.timer.compare_exchange_strong(seen, in_wheel, acq_rel, acquire);
      } else if (s.timer.load(acquire) == handed_over) {
        s.timer.store(in_wheel, release);
        s.kept = true;
      }
    });
    r.thread("canceller", [&s] {
      if (s.timer.exchange(cancelled, acq_rel) == in_wheel) s.removal.store(1, release);
    });
    r.finally([&s] {
      model::check(s.kept == (s.removal.load(relaxed) == 1), "A cancelled timer does not stay in the wheel.");
    });
  };
}

const program timer_bug{"canary: a timer cancelled on its way into the wheel",
                        must_say("A cancelled timer does not stay"), cancelled_timer(false)};
const program timer_fix{"canary repaired: the driver takes it by an exchange", passes, cancelled_timer(true)};

// ---- ABA in the stack of parked workers (Kotlin coroutines db22e4023) ----------------------------------------------
// Between the look at the top and the exchange of a waker another takes two workers and the first parks again: the top
// is the same, its successor is not. A count beside the top changes with every push.

struct parked_stack {
  explicit parked_stack(std::uint32_t count_step) : step{count_step} {}
  const std::uint32_t step;  // of the count in the upper half
  word top{1};               // worker 1 is parked, below it worker 2; 0 is none
  word below[3]{word{0}, word{2}, word{0}};
  word claims[3]{word{0}, word{0}, word{0}};

  std::uint32_t claim() {
    auto seen = top.load(acquire);
    for (;;) {
      const auto worker = seen & 0xff;
      if (worker == 0) return 0;
      const auto next = below[worker].load(relaxed);
      if (top.compare_exchange_strong(seen, (seen & ~0xffu) | next, acq_rel, acquire)) {
        model::check(claims[worker].fetch_add(1, relaxed) == 0, "A parked worker is claimed once.");
        return worker;
      }
    }
  }
  void park(std::uint32_t worker) {
    claims[worker].fetch_sub(1, relaxed);
    auto seen = top.load(acquire);
    do {
      below[worker].store(seen & 0xff, relaxed);
    } while (!top.compare_exchange_strong(seen, ((seen & ~0xffu) + step) | worker, acq_rel, acquire));
  }
};

auto parked_workers(std::uint32_t count_step) {
  return [count_step](run& r) {
    auto& s = r.make<parked_stack>(count_step);
    auto& turn = r.make<word>(0u);
    r.thread("waker 1", [&s] {
      s.claim();
      s.claim();
    });
    r.thread("waker 2", [&s, &turn] {
      const auto first = s.claim();
      s.claim();
      turn.store(first, release);
    });
    r.thread("worker", [&s, &turn] {
      if (const auto worker = turn.load(acquire); worker != 0) s.park(worker);
    });
  };
}

const program aba_bug{"canary: ABA in the stack of parked workers", must_say("A parked worker is claimed once"),
                      parked_workers(0)};
const program aba_fix{"canary repaired: a count beside the top of the stack", passes, parked_workers(0x100)};

// ---- Linked behind a node that is being removed (Kotlin coroutines #1845) ------------------------------------------
// The remover reads the successor of the first node and unlinks that node; who links a new one behind it in between
// has linked it to nothing. The remover seals the link first: then the other one starts again.

auto remove_first(bool seals) {
  return [seals](run& r) {
    struct node {
      atomic<node*> next{nullptr};
    };
    struct state {
      node head;
      node nodes[2];
      node seal;
    };
    auto& s = r.make<state>();
    s.head.next.store(&s.nodes[0], relaxed);
    r.thread("remover", [=, &s] {
      node* after = nullptr;
      if (seals) {
        s.nodes[0].next.compare_exchange_strong(after, &s.seal, acq_rel, acquire);
      } else {
        after = s.nodes[0].next.load(acquire);
      }
      s.head.next.store(after, release);
    });
    r.thread("adder", [&s] {
      for (;;) {
        node* last = s.head.next.load(acquire);
        if (last == nullptr) last = &s.head;
        node* none = nullptr;
        if (last->next.compare_exchange_strong(none, &s.nodes[1], acq_rel, acquire)) return;
        pause();
      }
    });
    r.finally(
        [&s] { model::check(s.head.next.load(relaxed) == &s.nodes[1], "The list has the node that was added."); });
  };
}

const program relink_bug{"canary: a node linked behind a removed one", must_say("The list has the node that was added"),
                         remove_first(false)};
const program relink_fix{"canary repaired: the remover seals the link", passes, remove_first(true)};

// ---- Two paths free the same block (crossbeam #1187, RUSTSEC-2025-0024) --------------------------------------------
// The last block of a channel is freed by the receiver that discards what is left, or by the last one out. A path that
// only reads the pointer leaves it to the other.

auto last_block(bool swaps) {
  return [swaps](run& r) {
    struct block {
      int items[4];
    };
    auto& head = r.make<atomic<block*>>(new block{});
    r.thread("discarding receiver", [=, &head] {
      block* const b = swaps ? head.exchange(nullptr, acq_rel) : head.load(acquire);
      delete b;
      head.store(nullptr, release);
    });
    r.thread("last one out", [&head] { delete head.exchange(nullptr, acq_rel); });
  };
}

const program block_bug{"canary: two paths free the same block", must_say("Freed twice"), last_block(false)};
const program block_fix{"canary repaired: both paths take the block by a swap", passes, last_block(true)};

// ---- A steal from an outgrown buffer (crossbeam-deque 38c07fcf) ----------------------------------------------------
// The thief must read which buffer it is after it has read that there is an item: an older buffer has
// under that index, modulo its capacity, an item that was taken long ago.

auto outgrown_buffer(bool buffer_first) {
  return [buffer_first](run& r) {
    struct buffer {
      std::uint32_t capacity;
      word slots[2]{word{0}, word{0}};
    };
    struct state {
      buffer small{1};
      buffer large{2};
      atomic<buffer*> current{&small};
      word top{0};
      word bottom{0};
      plain<int> tasks[2]{};
      word runs[2]{word{0}, word{0}};

      void take(const std::uint32_t index, buffer& from) {
        const auto task = from.slots[index % from.capacity].load(relaxed);
        std::uint32_t seen = index;
        if (!top.compare_exchange_strong(seen, index + 1, acq_rel, relaxed)) return;
        model::check(runs[task].fetch_add(1, relaxed) == 0, "A task runs once.");
        model::check(tasks[task].get() == 42, "The task arrives.");
      }
    };
    auto& s = r.make<state>();
    r.thread("owner", [&s] {
      s.tasks[0].set(42);
      s.bottom.store(1, release);  // task 0 in slot 0
      s.tasks[1].set(42);
      s.large.slots[1].store(1, relaxed);
      s.current.store(&s.large, release);
      s.bottom.store(2, release);
      s.take(s.top.load(acquire), s.large);
    });
    r.thread("thief", [=, &s] {
      buffer* from = buffer_first ? s.current.load(acquire) : nullptr;
      const auto top = s.top.load(acquire);
      if (top >= s.bottom.load(acquire)) return;
      if (!buffer_first) from = s.current.load(acquire);
      s.take(top, *from);
    });
  };
}

const program buffer_bug{"canary: a steal from an outgrown buffer", must_say("A task runs once"),
                         outgrown_buffer(true)};
const program buffer_fix{"canary repaired: the buffer is read after the bottom", passes, outgrown_buffer(false)};

// ---- The child touches its promise after the decrement (TooManyCooks #201) -----------------------------------------
// The decrement lets the parent go on, and with the parent's frame goes the child's. Nothing of the child may be read
// after it: what is needed later is copied before.

auto last_touch(bool copies) {
  return [copies](run& r) {
    struct promise {
      word continuation{7};
      word result{0};
    };
    struct state {
      word pending{2};
      promise* children[2]{new promise, new promise};
    };
    auto& s = r.make<state>();
    for (const promise* p : s.children) model::name(&p->continuation, "the child's continuation");
    for (int i = 0; i < 2; ++i) {
      r.thread("child", [=, &s] {
        promise& p = *s.children[i];
        p.result.store(21, relaxed);
        auto continuation = copies ? p.continuation.load(relaxed) : 0;
        const bool last = s.pending.fetch_sub(1, acq_rel) == 1;
        if (!copies) continuation = p.continuation.load(relaxed);
        if (last && continuation == 7) futex::wake(s.pending, 1);
      });
    }
    r.thread("parent", [&s] {
      for (std::uint32_t pending; (pending = s.pending.load(acquire)) != 0;) futex::wait(s.pending, pending);
      model::check(s.children[0]->result.load(relaxed) + s.children[1]->result.load(relaxed) == 42, "Both arrive.");
      for (promise* p : s.children) delete p;
    });
  };
}

const program touch_bug{"canary: a child touches its promise after the decrement", must_say("the child's continuation"),
                        last_touch(false)};
const program touch_fix{"canary repaired: a child copies before the decrement", passes, last_touch(true)};

// ---- The task destroys the executor that is posting it (TooManyCooks #129, Seastar c20d26097) ----------------------
// post() queues the task and then looks for a sleeper; the task may have destroyed the executor by then. What
// post() needs after it has queued belongs to both of them.

auto post_and_destroy(bool shared) {
  return [shared](run& r) {
    struct executor {
      word owners{2};  // the poster and the task
      word queue{0};
      word sleepers{1};  // more than there are does no harm
      plain<int> task{0};
    };
    auto& e = r.make<executor*>(new executor);
    model::name(&e->sleepers, "the executor's sleepers");
    const auto let_go = [](executor* x) {
      if (x->owners.fetch_sub(1, acq_rel) == 1) delete x;
    };
    r.thread("poster", [=, &e] {
      executor* const x = e;
      x->task.set(42);
      x->queue.exchange(1, acq_rel);
      if (x->sleepers.load(relaxed) != 0) futex::wake(x->queue, 1);
      if (shared) let_go(x);
    });
    r.thread("worker", [=, &e] {
      executor* const x = e;
      while (x->queue.load(acquire) == 0) futex::wait(x->queue, 0);
      model::check(x->task.get() == 42, "The task arrives.");
      if (shared) {
        let_go(x);
      } else {
        delete x;
      }
    });
  };
}

const program post_bug{"canary: post() touches the executor that its task destroyed",
                       must_say("the executor's sleepers"), post_and_destroy(false)};
const program post_fix{"canary repaired: post() and its task share the executor", passes, post_and_destroy(true)};

// ---- Handed to the collector before the final suspension (libcoro #240) --------------------------------------------
// A task that puts its own frame on the list of finished ones still runs in that frame. The list belongs into the final
// awaiter, which runs when the frame is suspended.

struct finished_list {
  lock guard;
  plain<std::coroutine_handle<>> finished;  // under the lock
  word count{0};

  void add(std::coroutine_handle<> h) {
    guard.take();
    finished.set(h);
    guard.drop();
    count.fetch_add(1, release);
    futex::wake(count, 1);
  }
};

struct collected {
  struct promise_type {
    promise_type(finished_list& l, bool at_end) : list{l}, when_suspended{at_end} {}
    finished_list& list;
    bool when_suspended;

    struct final_awaiter {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> h) const noexcept {
        if (h.promise().when_suspended) h.promise().list.add(h);
      }
      void await_resume() const noexcept {}
    };
    collected get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    final_awaiter final_suspend() noexcept { return {}; }
    void return_void() noexcept {
      if (!when_suspended) list.add(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<> handle;
};

collected finish([[maybe_unused]] finished_list& list, [[maybe_unused]] bool when_suspended) { co_return; }

auto collect(bool when_suspended) {
  return [when_suspended](run& r) {
    auto& list = r.make<finished_list>();
    r.thread("task", [=, &list] { finish(list, when_suspended).handle.resume(); });
    r.thread("collector", [&list] {
      while (list.count.load(acquire) == 0) futex::wait(list.count, 0);
      list.guard.take();
      const auto handle = list.finished.get();
      list.guard.drop();
      model::check(handle.done(), "A frame is destroyed only when it is suspended at its end.");
      handle.destroy();
    });
  };
}

const program collect_bug{"canary: a frame collected before its final suspension",
                          must_say("only when it is suspended at its end"), collect(false)};
const program collect_fix{"canary repaired: the final awaiter hands the frame over", passes, collect(true)};

}  // namespace
