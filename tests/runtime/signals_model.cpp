// models: runtime/signals.hpp runtime/signal_counts.hpp runtime/signal_watch.hpp
// Signals as they are shipped, but for what the system is asked for: they arrive as the watcher goes to sleep, as a task begins
// to wait for one, as its wait is cancelled, and as the object goes.
#include <sluice/model/program.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/runtime/signal_watch.hpp>

#include <initializer_list>
#include <memory>
#include <stdexcept>

namespace {

using namespace sluice::impl;

struct counts_alone {
  signal_counts counts;
  std::uint32_t given = 0;

  void watch(std::uint32_t all) {
    while (given < all) {
      const std::uint32_t seen = counts.collect([this](std::size_t, std::uint32_t n) { given += n; });
      if (given < all) counts.sleep(seen);
    }
  }
};

void two_signals(model::run& r) {
  auto& s = r.make<counts_alone>();
  r.thread("watcher", [&s] { s.watch(2); });
  r.thread("handler", [&s] { s.counts.arrive(1); });
  r.thread("handler", [&s] { s.counts.arrive(2); });
  r.finally([&s] { model::check(s.given == 2, "Each signal is given once."); });
}

void the_same_again(model::run& r) {
  auto& s = r.make<counts_alone>();
  r.thread("watcher", [&s] { s.watch(3); });
  r.thread("handler", [&s] {
    s.counts.arrive(1);
    s.counts.arrive(1);
  });
  r.thread("handler", [&s] { s.counts.arrive(2); });
  r.finally([&s] { model::check(s.given == 3, "Each signal is given once."); });
}

// The system: it installs each handler once, and may refuse the second signal.
class model_watch final : public signal_watch {
 public:
  bool installed(std::size_t number) const noexcept { return handlers_[number].get(); }
  bool started() const noexcept { return started_.get(); }
  bool refuses = false;

 private:
  void start() override {
    model::check(!started(), "One watcher is started.");
    started_.set(true);
  }
  bool install(std::size_t number) noexcept override {
    if (number == 2 && refuses) return false;
    model::check(!installed(number), "A handler is installed once.");
    handlers_[number].set(true);
    return true;
  }
  void restore(std::size_t number) noexcept override {
    model::check(installed(number), "A handler is restored once.");
    handlers_[number].set(false);
  }

  std::array<plain<bool>, most_signals> handlers_{};
  plain<bool> started_{false};
};

// A signals object.
struct object : signal_listener {
  object(signal_watch& w, std::initializer_list<std::size_t> numbers) : signal_listener(w) {
    for (const std::size_t n : numbers) listed[n] = true;
    w.add(*this);
  }
  ~object() { watch.remove(*this); }
};

// What co_await o.next() gives; 0 when it was cancelled.
int next(object& o, thread_context& context) {
  auto awaiter = signal_operation{&o}.bind(context);
  if (!awaiter.await_ready() && awaiter.await_suspend({})) context.park();
  try {
    return awaiter.await_resume();
  } catch (const sluice::cancelled&) {
    return 0;
  }
}

struct state {
  model_watch watch;
  std::unique_ptr<object> one = std::make_unique<object>(watch, std::initializer_list<std::size_t>{1, 2});
  thread_context task;
  int got = -1;

  void arrives(int number) {
    watch.arrive(number);
    (void)watch.hand_on();
  }
};

// What the thread did that raised the signal is there for the task.
void begins_to_wait(model::run& r) {
  struct shared : state {
    plain<int> sent{0};
    atomic<std::uint32_t> over{0};
  };
  auto& s = r.make<shared>();
  r.thread("handler", [&s] {
    s.sent.set(1);
    s.watch.arrive(1);
  });
  r.thread("watcher", [&s] {
    for (;;) {
      const std::uint32_t seen = s.watch.hand_on();
      if (s.over.load(acquire) == 1) return;
      s.watch.sleep(seen);
    }
  });
  r.thread("task", [&s] {
    s.got = next(*s.one, s.task);
    model::check(s.got == 1 && s.sent.get() == 1, "The signal arrives.");
    s.over.store(1, release);
    s.watch.arrive(0);  // nobody's: it wakes the watcher
  });
}

void is_cancelled(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] { s.got = next(*s.one, s.task); });
  r.thread("canceller", [&s] { s.task.cancel(); });
  r.thread("watcher", [&s] { s.arrives(1); });
  r.finally([&s] {
    model::check(s.got + s.one->take() == 1, "The signal is given, or is there for the next one.");
    model::check(s.one->take() == 0, "It is given once.");
  });
}

// Of three that wait one is cancelled: the others are served first come, first served.
void one_of_three(model::run& r, int which) {
  struct shared : state {
    shared() {
      for (int i = 0; i < 3; ++i) {
        awaiters[i] = std::make_unique<signal_awaiter>(*one, contexts[i]);
        (void)awaiters[i]->await_suspend({});
      }
    }
    thread_context contexts[3];
    std::unique_ptr<signal_awaiter> awaiters[3];
  };
  auto& s = r.make<shared>();
  r.thread("watcher", [&s] {
    for (const int number : {1, 2, 1}) s.arrives(number);
  });
  r.thread("canceller", [&s, which] { s.contexts[which].cancel(); });
  r.finally([&s, which] {
    constexpr int sent[] = {1, 2, 1};
    int given = 0;
    for (int i = 0; i < 3; ++i) {
      s.contexts[i].park();
      try {
        const int got = s.awaiters[i]->await_resume();
        model::check(got == sent[given++], "First come, first served.");
      } catch (const sluice::cancelled&) {
        model::check(i == which, "The other ones are not cancelled.");
      }
    }
    if (given == 2) model::check(s.one->take() == 1, "What the cancelled one did not get is there for the next one.");
    model::check(s.one->take() == 0, "Each signal is given once.");
  });
}

// Who was served may destroy the object at once, while the watcher is still about.
void object_goes(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] {
    s.got = next(*s.one, s.task);
    s.one.reset();
  });
  r.thread("watcher", [&s] {
    s.arrives(1);
    s.arrives(2);
  });
  r.finally([&s] { model::check(s.got == 1 || s.got == 2, "A signal was given."); });
}

// The canceller is done with the object when the wait that it ended goes on.
void object_goes_cancelled(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] {
    s.got = next(*s.one, s.task);
    s.one.reset();
  });
  r.thread("canceller", [&s] { s.task.cancel(); });
  r.finally([&s] { model::check(s.got == 0, "The wait was cancelled."); });
}

// Each object gets what it lists, while another one comes and goes.
void several_objects(model::run& r) {
  struct shared : state {
    object other{watch, {2}};
  };
  auto& s = r.make<shared>();
  r.thread("watcher", [&s] {
    s.watch.arrive(1);
    s.watch.arrive(2);
    (void)s.watch.hand_on();
  });
  r.thread("owner", [&s] {
    const object third(s.watch, {1});
    model::check(s.watch.installed(1), "The handler is there.");
  });
  r.finally([&s] {
    model::check(s.one->take() == 1 && s.one->take() == 2 && s.one->take() == 0, "One object got both.");
    model::check(s.other.take() == 2 && s.other.take() == 0, "The other object got its one.");
  });
}

// The first object comes, and the last one goes, while another one is made or refused.
void handlers_come_and_go(model::run& r, bool refuses) {
  auto& s = r.make<model_watch>();
  s.refuses = refuses;
  r.thread("owner", [&s] {
    const object first(s, {1});
    model::check(s.installed(1), "The handler is there.");
  });
  r.thread("owner", [&s, refuses] {
    bool refused = false;
    try {
      const object second(s, {1, 2});
      model::check(s.installed(1) && s.installed(2), "The handlers are there.");
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    model::check(refused == refuses, "The object was refused.");
  });
  r.finally([&s] {
    model::check(s.started(), "The watcher was started.");
    model::check(!s.installed(1) && !s.installed(2), "What was there before is there again.");
  });
}

const model::program two{"signals: two arrive while the watcher goes to sleep", {}, two_signals};
const model::program again{"signals: one arrives again while it is handed on", {}, the_same_again};
const model::program waits{"signals: one arrives as a task begins to wait", {}, begins_to_wait};
const model::program cancelled_wait{"signals: one arrives as the wait is cancelled", {}, is_cancelled};
const model::program head{"signals: three wait, the first is cancelled", {}, [](model::run& r) { one_of_three(r, 0); }};
const model::program middle{
    "signals: three wait, the second is cancelled", {}, [](model::run& r) { one_of_three(r, 1); }};
const model::program tail{"signals: three wait, the third is cancelled", {}, [](model::run& r) { one_of_three(r, 2); }};
const model::program goes{"signals: the object goes as soon as its waiter was served", {}, object_goes};
const model::program goes_cancelled{
    "signals: the object goes as soon as its waiter was cancelled", {}, object_goes_cancelled};
const model::program several{"signals: another object comes and goes while two arrive", {}, several_objects};
const model::program installed{
    "signals: two objects come and go", {}, [](model::run& r) { handlers_come_and_go(r, false); }};
const model::program refused{
    "signals: an object is refused beside another", {}, [](model::run& r) { handlers_come_and_go(r, true); }};

}  // namespace
