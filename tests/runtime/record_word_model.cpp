// models: runtime/record_word.hpp runtime/join_handle.hpp runtime/runtime_core.hpp
// The parties of a spawned task's record: the task ends, the handle waits, is cancelled in its wait, or is dropped, and a
// visitor passes by. The wait is join_awaiter's: a gate of the task's end, the link and await_suspend.
#include <sluice/model/program.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/runtime/gate.hpp>
#include <sluice/runtime/record_word.hpp>

#include <memory>

namespace {

using namespace sluice::impl;

// A record with a payload where the result would be; freeing it is destroying it.
struct state {
  record_word word;
  plain<int> result{0};
  atomic<int> disposed{0};
  atomic<int> freed{0};
  thread_context waiter;
  int got = 0;

  void free() {
    result.set(-2);  // nobody else uses the record any more
    model::check(freed.fetch_add(1, relaxed) == 0, "The record is freed once.");
  }
  void dispose() {
    (void)result.get();
    result.set(-1);
    model::check(disposed.fetch_add(1, relaxed) == 0, "The result is disposed of once.");
  }
};

struct listener {
  virtual void ended() noexcept = 0;

 protected:
  ~listener() = default;
};

// The steps of spawned<T>::finished.
void finish(state& s, listener* who) {
  s.result.set(7);
  auto end = s.word.finish(false);
  if (end.what == record_word::finish_result::dispose) {
    s.dispose();
    end = s.word.finish(true);
  }
  if (end.what == record_word::finish_result::free) s.free();
  if (end.what == record_word::finish_result::wake) who->ended();
}

// The steps of spawned<T>::drop.
void drop(state& s) {
  if (s.word.drop_running()) return;
  s.dispose();
  if (s.word.drop_done()) s.free();
}

// The steps of join_awaiter, on a plain thread.
struct wait final : listener, canceller {
  explicit wait(state& all) noexcept : s(all) {}

  void run() {
    if (!s.waiter.arm(link)) {
      cancelled = true;
      return;
    }
    bool suspended = false;
    if (s.word.add_waiter()) {
      suspended = !parties.leave(looks_again && s.waiter.task_context::cancelled() && withdraw() ? 2 : 1);
    } else {
      suspended = !parties.leave(s.waiter.disarm(link) ? 3 : 2);
    }
    if (suspended) s.waiter.park();
  }
  void ended() noexcept override { parties.leave_and_wake(s.waiter.disarm(link) ? 2 : 1, s.waiter); }
  void cancel(cancellable&, cancellation&) noexcept override { parties.leave_and_wake(withdraw() ? 2 : 1, s.waiter); }
  bool withdraw() noexcept {
    if (!s.word.remove_waiter()) return false;
    cancelled = true;
    return true;
  }

  state& s;
  cancellable link{this};
  gate parties{3};
  bool cancelled = false;
  bool looks_again = true;  // false in a canary
};

struct awaited : state {
  std::unique_ptr<wait> in = std::make_unique<wait>(*this);
};

void waits_and_collects(model::run& r) {
  auto& s = r.make<awaited>();
  s.word.open(true);
  r.thread("task", [&s, in = s.in.get()] { finish(s, in); });
  r.thread("handle", [&s] {
    s.in->run();
    s.in.reset();  // the frame goes: nobody may be inside any more
    s.got = s.result.get();
    drop(s);
  });
  r.finally(
      [&s] { model::check(s.got == 7 && s.freed.load(relaxed) == 1, "The result is there and the record freed."); });
}

void waits_and_is_cancelled(model::run& r) {
  auto& s = r.make<awaited>();
  s.word.open(true);
  r.thread("task", [&s, in = s.in.get()] { finish(s, in); });
  r.thread("handle", [&s] {
    s.in->run();
    const bool cancelled = s.in->cancelled;
    s.in.reset();
    if (!cancelled) s.got = s.result.get();
    drop(s);
  });
  r.thread("canceller", [&s] { s.waiter.cancel(); });
  r.finally([&s] { model::check(s.freed.load(relaxed) == 1, "The record is freed."); });
}

// The task does not end: the wait must end by the cancellation, whenever that comes.
void is_cancelled_alone(model::run& r, bool looks_again) {
  auto& s = r.make<awaited>();
  s.in->looks_again = looks_again;
  s.word.open(true);
  r.thread("handle", [&s] {
    s.in->run();
    model::check(s.in->cancelled, "The wait was cancelled.");
    s.in.reset();
  });
  r.thread("canceller", [&s] { s.waiter.cancel(); });
}

void dropped_while_it_ends(model::run& r) {
  auto& s = r.make<state>();
  s.word.open(true);
  r.thread("task", [&s] { finish(s, nullptr); });
  r.thread("handle", [&s] { drop(s); });
  r.thread("visitor", [&s] {
    if (s.word.visit() && s.word.leave_visit()) s.free();
  });
  r.finally([&s] {
    model::check(s.freed.load(relaxed) == 1, "The record is freed.");
    model::check(s.disposed.load(relaxed) == 1, "The result is disposed of.");
  });
}

// Canary: a task that finishes without asking whether the handle is gone leaves its result to nobody.
void nobody_disposes(model::run& r) {
  auto& s = r.make<state>();
  s.word.open(true);
  r.thread("task", [&s] {
    s.result.set(7);
    if (s.word.finish(true).what == record_word::finish_result::free) s.free();
  });
  r.thread("handle", [&s] { drop(s); });
  r.finally([&s] { model::check(s.disposed.load(relaxed) == 1, "The result is disposed of."); });
}

void dropped_while_the_runtime_goes(model::run& r) {
  struct owned : state {
    atomic<int> orphans{0};
  };
  auto& s = r.make<owned>();
  s.word.open(true);
  (void)s.word.finish(false);
  r.thread("handle", [&s] {
    if (s.word.drop_done()) {
      s.free();
      if (s.word.orphaned()) s.orphans.fetch_sub(1, relaxed);
    }
  });
  r.thread("runtime", [&s] {
    s.orphans.fetch_add(1, relaxed);
    if (!s.word.make_orphan()) s.orphans.fetch_sub(1, relaxed);
  });
  r.finally([&s] { model::check(s.orphans.load(relaxed) == 0, "Every orphan gives its share back."); });
}

// A block whose record ends and is built again, while somebody comes for whatever record is there. Who is in it sees the record as it
// was built, and who frees it sees that all others have left.
void used_again(model::run& r, bool (record_word::*come)()) {
  auto& s = r.make<state>();
  r.thread("tasks", [&s] {
    s.result.set(1);
    s.word.open(false);
    if (s.word.finish(true).what != record_word::finish_result::free) return;
    s.result.set(2);
    s.word.open(false);
  });
  r.thread("visitor", [&s, come] {
    if (!(s.word.*come)()) return;
    model::check(s.result.get() > 0, "The record was built.");
    if (s.word.leave_visit()) s.free();
  });
}

const model::program collects{"record: the task ends while the handle waits", {}, waits_and_collects};
const model::program is_cancelled{
    "record: the task ends while the waiting handle is cancelled", {}, waits_and_is_cancelled};
const model::program alone{"record: the waiting handle is cancelled, the task goes on", {}, [](model::run& r) {
                             is_cancelled_alone(r, true);
                           }};
const model::program forgotten{"record: canary, the waiter does not look for a cancellation that came first",
                               {.must_fail = "Deadlock or lost wakeup"},
                               [](model::run& r) { is_cancelled_alone(r, false); }};
const model::program dropped{
    "record: the task ends, the handle is dropped, a visitor passes", {}, dropped_while_it_ends};
const model::program undisposed{"record: canary, the task does not look for the handle",
                                {.must_fail = "The result is disposed of."},
                                nobody_disposes};
const model::program again{
    "record: a visitor passes as a block is used again", {}, [](model::run& r) { used_again(r, &record_word::visit); }};
const model::program watched{
    "record: the runtime goes as a block is used again", {}, [](model::run& r) { used_again(r, &record_word::watch); }};
const model::program orphan{"record: the handle is dropped while the runtime goes", {}, dropped_while_the_runtime_goes};

}  // namespace
