// models: queues/queue_core.hpp queues/queue.hpp queues/ring.hpp queues/thread_context.hpp queues/short_wait.hpp
// The queue's rarer meetings: who waited first stays first, cells that the runner filled or emptied come round again, joins against zeros
// that do not last, an heir behind the one who closes, and destruction beside an operation that has taken effect already.
#include <sluice/model/program.hpp>
#include <sluice/queues/queue.hpp>

#include "executor.hpp"
#include "model_queue.hpp"

#include <optional>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

// A put that only tries does not pass the one that waits, and takes nobody's room.
void nobody_passes_a_waiting_put(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("putter", [&s] { model::check(put(s, s.one, 2) == 2, "There will be room."); });
  r.thread("getter",
           [&s] { (void)s.items->try_get([&s](payload&& item) { s.got[0] = payload(std::move(item)).value(); }); });
  r.thread("tries", [&s] {
    payload item(4);
    const item_status status = s.items->try_put(item);
    if (status != item_status::done && status != item_status::done_kick) return;
    (void)s.items->try_get([&s](payload&& own) { s.got[1] = payload(std::move(own)).value(); });
    model::check(s.got[1] == 4, "It came before the one that waits.");
  });
  r.finally([&s] {
    model::check(s.got[0] == 1 && drain(s) == 2, "Each item is delivered once.");
    put_now(*s.items, 5);
    model::check(drain(s) == 5, "Nobody waits, and a put is a put again.");
  });
}

// The cell that the runner emptied for a getter comes round again: two cells, three puts.
void runner_empties_a_cell(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  r.thread("getter", [&s] { model::check(get(s, s.one) == 1, "The first item comes first."); });
  r.thread("putter", [&s] {
    put(s, s.two, 1);
    put(s, s.three, 2);
    thread_context third;
    put(s, third, 4);
  });
  r.finally([&s] { model::check(drain(s) == 6, "The others are there."); });
}

// The size is one that the queue had, though the runner advances the head.
void size_beside_the_runner(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  r.thread("getter", [&s] { get(s, s.one); });
  r.thread("putter", [&s] { put(s, s.two, 1); });
  r.thread("asks", [&s] { model::check(s.items->items().size() <= 1, "It never held two."); });
}

// The cell that a getter emptied is filled by the runner.
void runner_fills_a_cell(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  put_now(*s.items, 1);
  put_now(*s.items, 2);
  r.thread("getter", [&s] { model::check(get(s, s.one) == 1, "The first item comes first."); });
  r.thread("putter", [&s] { model::check(put(s, s.two, 4) == 4, "There will be room."); });
  r.finally([&s] { model::check(drain(s) == 6, "The others are there."); });
}

// ------------------------------------------------------------------------------------------ joins

coroutine join_then_note(executor&, queue<payload>& items, plain<bool>& joined) {
  co_await items.join();
  joined.set(true);
}

// The join that waited hears of a zero that lasted until its task_done returned, though another put ends it and others come and go.
void zero_that_was_met(model::run& r) {
  struct shared {
    executor tasks;
    queue<payload> items{2};
    plain<bool> joined{false};
  };
  auto& s = r.make<shared>();
  (void)s.items.try_put(payload(1));
  join_then_note(s.tasks, s.items, s.joined);
  r.thread("worker", [&s] {
    s.items.task_done();
    model::check(s.items.unfinished() == 0 && s.items.try_put(payload(2)), "There is room.");
    while (!s.joined.get()) {  // a zero was met while it waited
      if (!s.tasks.run()) yield_thread();
    }
  });
  r.thread("other", [&s] {
    try {
      s.items.blocking_join(std::chrono::seconds(1));
    } catch (const timed_out&) {
    }
  });
}

// Two joins, of which the second may find the zero whose kick for the first is still on its way.
void two_joins_see_the_work(model::run& r) {
  struct working : queue_state {
    working() : queue_state(1) {}
    plain<int> work{0};
  };
  auto& s = r.make<working>();
  put_now(*s.items, 1);
  r.thread("worker", [&s] {
    s.work.set(7);
    s.items->task_done(1);
  });
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "joiner" : "second joiner", [&s, i] {
      join(s, i == 0 ? s.one : s.two);
      model::check(s.work.get() == 7, "The work is done.");
    });
  }
}

// Two zeros, met by different threads, and a join for each.
void join_twice(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  put_now(*s.items, 1);
  r.thread("worker", [&s] { s.items->task_done(1); });
  r.thread("putter and worker", [&s] {
    put_now(*s.items, 2);
    s.items->task_done(1);
  });
  r.thread("joiner", [&s] {
    join(s, s.one);
    join(s, s.two);
  });
}

// One item cannot be done twice, however the two meet.
void done_once_too_often(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  put_now(*s.items, 1);
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "worker" : "second worker", [&s, i] {
      try {
        s.items->task_done(1);
        s.got[i] = 1;
      } catch (const std::logic_error&) {
      }
    });
  }
  r.finally(
      [&s] { model::check(s.got[0] + s.got[1] == 1 && s.items->unfinished() == 0, "One of the two is refused."); });
}

// What is unfinished is never less than nothing, whoever asks.
void unfinished_is_counted(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("worker", [&s] {
    put_now(*s.items, 1);
    s.items->task_done(1);
  });
  r.thread("asks", [&s] { model::check(s.items->unfinished() <= 1, "One item at most is unfinished."); });
}

// ------------------------------------------------------------------------------------------ close

// close x a get that times out x join: the item is got and done, or handed back and done.
void close_now_timeout_join(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("getter", [&s] {
    try {
      if (get_in_time(*s.items)) s.items->task_done(1);
    } catch (const queue_closed&) {
    }
  });
  r.thread("closer", [&s] { (void)s.items->close_now(); });
  r.thread("joiner", [&s] { join(s, s.one); });
  r.finally([&s] { model::check(s.items->unfinished() == 0 && drain(s) == 0, "Nothing is left."); });
}

// close x a put that times out x a get, on a full queue.
void close_put_timeout_get(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("putter", [&s] {
    try {
      s.got[0] = put_in_time(*s.items, 2) ? 2 : 0;
    } catch (const queue_closed&) {
    }
  });
  r.thread("closer", [&s] {
    s.items->close();
    s.items->close();
  });
  r.thread("getter", [&s] { s.got[1] = get(s, s.one); });
  r.finally(
      [&s] { model::check(s.got[1] == 1 && drain(s) == s.got[0], "What was accepted is there, and nothing else."); });
}

coroutine get_then_note(executor&, queue<payload>& items, plain<int>& got) {
  const auto item = co_await items.next();
  got.set(item ? item->value() : was_closed);
}

// The heir may stand behind the very thread that closes: close_now() serves in its place.
void heir_behind_the_closer(model::run& r) {
  struct shared {
    executor tasks;
    queue<payload> items{2};
    plain<int> got[2];
  };
  auto& s = r.make<shared>();
  get_then_note(s.tasks, s.items, s.got[0]);
  get_then_note(s.tasks, s.items, s.got[1]);
  r.thread("putter", [&s] {
    try {
      (void)s.items.try_put(payload(1));
    } catch (const queue_closed&) {
    }
  });
  r.thread("closer", [&s] {
    model::check(s.items.close_now().empty(), "Those who waited were first.");
    s.tasks.run();
  });
  r.finally([&s] {
    s.tasks.run();
    model::check(s.tasks.live == 0 && s.got[1].get() == was_closed, "Both have heard.");
  });
}

// Or behind one that gives it another capacity, which waits for the runner.
void heir_behind_the_owner(model::run& r) {
  struct shared {
    executor tasks;
    queue<payload> items{2};
    plain<int> got[2];
  };
  auto& s = r.make<shared>();
  get_then_note(s.tasks, s.items, s.got[0]);
  get_then_note(s.tasks, s.items, s.got[1]);
  r.thread("putter", [&s] {
    try {
      (void)s.items.try_put(payload(1));
    } catch (const queue_closed&) {
    }
  });
  r.thread("owner", [&s] {
    s.items.close();
    s.items.set_capacity(3);
    s.tasks.run();
  });
  r.finally([&s] {
    s.tasks.run();
    model::check(s.tasks.live == 0 && s.got[1].get() == was_closed, "Both have heard.");
    model::check(s.items.capacity() == 3, "It has the new capacity.");
  });
}

// Or behind one whose put drops what is in its way: it waits until somebody has that.
void heir_behind_the_dropper(model::run& r) {
  struct shared {
    executor tasks;
    int dropped = 0;
    queue<payload> items{1, {overflow_policy::drop_oldest, [this](payload&& item) { dropped += item.value(); }}};
    plain<int> got[2];
  };
  auto& s = r.make<shared>();
  get_then_note(s.tasks, s.items, s.got[0]);
  get_then_note(s.tasks, s.items, s.got[1]);
  r.thread("putter", [&s] { (void)s.items.try_put(payload(1)); });
  r.thread("dropper", [&s] {
    for (int value : {2, 4}) model::check(s.items.try_put(payload(value)), "It is never refused.");
    s.tasks.run();
  });
  r.finally([&s] {
    s.tasks.run();
    int sum = s.dropped;
    while (const auto left = s.items.try_get()) sum += left->value();
    s.items.close();
    s.tasks.run();
    for (const auto& one : s.got) sum += one.get() > 0 ? one.get() : 0;
    model::check(s.tasks.live == 0 && sum == 7, "Each item is in one place.");
  });
}

// ------------------------------------------------------------------------------------------ destruction

// A get times out beside the put that would have served it; once that has taken effect, the queue may go.
void destroyed_beside_a_put(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("putter", [items = s.items.get()] { put_now(*items, 1); });
  r.thread("owner", [&s] {
    if (get_in_time(*s.items) || s.items->items().size() == 1) s.items.reset();
  });
}

// The get that would have made room has a kick to pay, and is waited for.
void destroyed_beside_a_get(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("getter", [items = s.items.get()] {
    const item_status status = items->try_get([](payload&&) {});
    model::check(status == item_status::done || status == item_status::done_kick, "There is an item.");
  });
  r.thread("owner", [&s] {
    if (!put_in_time(*s.items, 2) && s.items->items().size() == 0) s.items.reset();
  });
}

void destroyed_beside_a_task_done(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("worker", [items = s.items.get()] { items->task_done(1); });
  r.thread("owner", [&s] {
    if (join_in_time(*s.items) || s.items->unfinished() == 0) s.items.reset();
  });
}

// ------------------------------------------------------------------------------------------ the public face

void blocking(model::run& r) {
  auto& items = r.make<queue<payload>>(std::size_t{1});
  r.thread("putter", [&items] {
    items.blocking_put(payload(1));
    items.blocking_put(payload(2), std::chrono::hours::max());
    items.close();
    try {
      (void)items.try_put(payload(3));
      model::fail("It is closed.");
    } catch (const queue_closed&) {
    }
  });
  r.thread("getter", [&items] {
    model::check(items.blocking_get(std::chrono::hours::max()).value() == 1, "The first item comes first.");
    items.task_done();
    {
      std::optional<leased<payload>> second = items.blocking_lease();
      model::check((*second)->value() == 2, "The second item comes second.");
    }
    model::check(!items.blocking_next() && !items.blocking_lease(), "Closed and drained.");
    model::check(refused_on_worker([&] { (void)items.blocking_next(); }), "A worker is not blocked.");
  });
  r.finally([&items] { model::check(items.unfinished() == 0, "A lease is done when it goes."); });
}

const model::program p01{"queue: nobody passes a waiting put", {}, nobody_passes_a_waiting_put};
const model::program p02{"queue: a cell that the runner emptied", {}, runner_empties_a_cell};
const model::program p03{"queue: a cell that the runner fills", {}, runner_fills_a_cell};
const model::program p16{"queue: size x waiting get x put", {}, size_beside_the_runner};
const model::program p04{"queue: join x a zero that was met", {}, zero_that_was_met};
const model::program p05{"queue: two joins see the work", {}, two_joins_see_the_work};
const model::program p06{"queue: join twice", {}, join_twice};
const model::program p07{"queue: task_done x task_done of one item", {}, done_once_too_often};
const model::program p15{"queue: unfinished() beside a put and a task_done", {}, unfinished_is_counted};
const model::program p08{"queue: close_now x get x timeout x join", {}, close_now_timeout_join};
const model::program p09{"queue: close x put x timeout x get", {}, close_put_timeout_get};
const model::program p10{"queue: the heir is queued behind close_now", {}, heir_behind_the_closer};
const model::program p18{"queue: the heir is queued behind a put that drops", {}, heir_behind_the_dropper};
const model::program p17{"queue: the heir is queued behind set_capacity", {}, heir_behind_the_owner};
const model::program p11{"queue: destroyed beside a put", {}, destroyed_beside_a_put};
const model::program p12{"queue: destroyed beside a get", {}, destroyed_beside_a_get};
const model::program p13{"queue: destroyed beside a task_done", {}, destroyed_beside_a_task_done};
const model::program p14{"queue: blocking calls", {}, blocking};

}  // namespace
