// models: runtime/blocking_pool.hpp
// The pool itself, with model threads in place of the system's: calls come in while threads look for work, fall asleep,
// run out of patience, or are told to go.
#include "fake_scheduler.hpp"

#include <sluice/model/program.hpp>
#include <sluice/runtime/blocking_pool.hpp>

#include <memory>
#include <string>
#include <system_error>

namespace {

using namespace sluice::impl;

// A call: what its owner wrote must be there for the thread that runs it, and back.
struct call final : blocking_job {
  void run() noexcept override {
    answer.set(question.get() + 1);
    if (other != nullptr) {
      began.store(1, release);
      futex::wake(began, 1);
      while (other->began.load(acquire) == 0) futex::wait(other->began, 0);
    }
    // The owner may go as soon as the last store is done.
    done.store(1, release);
    futex::wake(done, 1);
  }
  void wait() noexcept {
    while (done.load(acquire) == 0) futex::wait(done, 0);
  }
  plain<int> question{0};
  plain<int> answer{0};
  call* other = nullptr;  // ends only when this one has begun
  atomic<std::uint32_t> began{0};
  atomic<std::uint32_t> done{0};
};

template <class Pool>
struct state_of {
  state_of(int most, int threads) : pool(std::make_unique<Pool>(static_cast<std::size_t>(most), "model")) {
    fake::allow_threads(threads);
  }
  ~state_of() {
    std::string text;
    pool->describe(text);
    model::check(text.find(" 0 idle, 0 calls queued") != std::string::npos, "Nothing is left in the pool.");
    pool.reset();
    model::check(fake::all_joined(), "Every thread was joined.");
  }
  std::unique_ptr<Pool> pool;

  void ask(int n) {
    auto mine = std::make_unique<call>();
    mine->question.set(n);
    pool->submit(*mine);
    mine->wait();
    model::check(mine->answer.get() == n + 1, "The call was made.");
  }
};
using state = state_of<blocking_pool>;

// The shipped pool, but submit() leaves the thread that it wakes in the idle stack, for the thread itself to go when it wakes:
// the accounting that tokio #8056 is suspected of. Two calls then count on one thread, or on one that runs out of patience.
class forgetful_pool final : public blocking_pool {
 public:
  using blocking_pool::blocking_pool;
  void submit(blocking_job& job) {
    worker* wake = nullptr;
    {
      const locked hold(lock_);
      wake = idle_;
      if (wake != nullptr) push(job);
    }
    if (wake == nullptr) return blocking_pool::submit(job);
    tell(*wake);
  }
};

// When nobody else can go on, an idle thread has waited long enough and leaves; so no program needs to stop its pool.
void one_call(model::run& r) {
  auto& s = r.make<state>(1, 1);
  r.thread("caller", [&s] { s.ask(1); });
  r.thread("pool", [] { fake::be_thread(0); });
}

// The thread is between looking for work, sleeping, and having slept long enough: then a second one is started.
void one_after_the_other(model::run& r) {
  auto& s = r.make<state>(1, 2);
  r.thread("caller", [&s] {
    s.ask(1);
    s.ask(2);
    fake::no_more_threads();
  });
  r.thread("pool 1", [] { fake::be_thread(0); });
  r.thread("pool 2", [] { fake::be_thread(1); });
}

// Each of two calls ends only when the other has begun: an idle thread must not be counted on twice (tokio #8056).
template <class Pool>
void two_at_once(model::run& r) {
  struct two_calls : state_of<Pool> {
    two_calls() : state_of<Pool>(2, 2) {
      first.other = &second;
      second.other = &first;
      this->pool->submit(before);
    }
    call before;
    call first;
    call second;
  };
  auto& s = r.make<two_calls>();
  r.thread("pool 1", [] { fake::be_thread(0); });
  r.thread("pool 2", [] { fake::be_thread(1); });
  r.thread("caller", [&s] {
    s.pool->submit(s.first);
    s.pool->submit(s.second);
  });
}

// Whoever withdraws a call may free it at once.
void withdrawn(model::run& r) {
  auto& s = r.make<state>(1, 1);
  r.thread("caller", [&s] {
    auto mine = std::make_unique<call>();
    mine->question.set(1);
    s.pool->submit(*mine);
    if (!s.pool->withdraw(*mine)) mine->wait();
  });
  r.thread("pool", [] { fake::be_thread(0); });
}

// The only thread has run out of patience, or not yet: the call is made by it, or refused, or by a second thread.
template <class Pool>
void late(model::run& r, int threads) {
  struct shared : state_of<Pool> {
    explicit shared(int n) : state_of<Pool>(1, n) { this->pool->submit(before); }
    call before;
    call late;
    bool refused = false;
  };
  auto& s = r.make<shared>(threads);
  r.thread("pool 1", [] { fake::be_thread(0); });
  r.thread("caller", [&s] {
    try {
      s.pool->submit(s.late);
    } catch (const std::system_error&) {
      s.refused = true;
    }
    fake::no_more_threads();
  });
  if (threads == 2) r.thread("pool 2", [] { fake::be_thread(1); });
  r.finally([&s] {
    model::check((s.late.done.load(relaxed) == 1) != s.refused, "The call was made or refused.");
    (void)s.late.answer.get();
  });
}

// The thread ran out of patience as one call counted on it: it goes on for that one, and for another that comes meanwhile.
void two_late(model::run& r) {
  struct shared : state {
    shared() : state(1, 1) { pool->submit(before); }
    void submit(call& c) {
      try {
        pool->submit(c);
      } catch (const std::system_error&) {  // the thread has gone
        c.run();
      }
    }
    call before;
    call first;
    call second;
  };
  auto& s = r.make<shared>();
  r.thread("pool", [] { fake::be_thread(0); });
  r.thread("caller", [&s] { s.submit(s.first); });
  r.thread("caller", [&s] { s.submit(s.second); });
  r.finally([&s] {
    model::check(s.first.done.load(relaxed) == 1 && s.second.done.load(relaxed) == 1, "Both calls were made.");
  });
}

// A thread that has gone is joined by the next call, also when there is no other thread for that one.
void joined_by_the_next(model::run& r, int threads) {
  auto& s = r.make<state>(1, threads);
  r.thread("pool 1", [] { fake::be_thread(0); });
  if (threads == 2) r.thread("pool 2", [] { fake::be_thread(1); });
  r.thread("caller", [&s] {
    s.ask(1);
    fake::await_end(0);
    auto mine = std::make_unique<call>();
    bool refused = false;
    try {
      s.pool->submit(*mine);
      model::check(fake::joined(0), "The thread that has gone was joined.");
    } catch (const std::system_error&) {
      refused = true;
    }
    if (!refused) mine->wait();
    fake::no_more_threads();
  });
}

// The call is over or withdrawn, and the pool goes, while the one that submitted it is still on its way out.
void stopped_behind_a_caller(model::run& r) {
  struct shared : state {
    shared() : state(1, 1) { pool->submit(before); }
    call before;
    call late;
  };
  auto& s = r.make<shared>();
  r.thread("pool", [] { fake::be_thread(0); });
  r.thread("caller", [&s] {
    try {
      s.pool->submit(s.late);
    } catch (const std::system_error&) {  // the only thread has gone, and there is no other
      s.late.run();
    }
  });
  r.thread("owner", [&s] {
    s.before.wait();
    if (!s.pool->withdraw(s.late)) s.late.wait();
    s.pool->stop();
  });
}

const model::program once{"blocking pool: one call", {}, one_call};
const model::program taken_back{"blocking pool: a call is withdrawn as it begins", {}, withdrawn};
const model::program in_turn{
    "blocking pool: a call comes as the thread falls asleep or runs out of patience", {}, one_after_the_other};
const model::program last_thread{"blocking pool: a call as the last thread leaves, and no other can be had",
                                 {},
                                 [](model::run& r) { late<blocking_pool>(r, 1); }};
const model::program next_thread{
    "blocking pool: a call as the last thread leaves", {}, [](model::run& r) { late<blocking_pool>(r, 2); }};
const model::program last_forgotten{"blocking pool: canary, a call counts on a thread that leaves",
                                    {.must_fail = "The call was made or refused."},
                                    [](model::run& r) { late<forgetful_pool>(r, 1); }};
const model::program both_late{"blocking pool: two calls as the last thread leaves", {.max = 100'000}, two_late};
const model::program gone_refused{"blocking pool: a call after the last thread has gone, and no other can be had",
                                  {},
                                  [](model::run& r) { joined_by_the_next(r, 1); }};
const model::program gone{"blocking pool: a call after the last thread has gone", {.bound = 1}, [](model::run& r) {
                            joined_by_the_next(r, 2);
                          }};
const model::program at_once{"blocking pool: two calls that need each other, one thread about to be idle",
                             {.timeouts = 0},
                             two_at_once<blocking_pool>};
const model::program at_once_forgotten{"blocking pool: canary, two calls count on one thread",
                                       {.must_fail = "lost wakeup", .timeouts = 0},
                                       two_at_once<forgetful_pool>};
const model::program behind{
    "blocking pool: it goes while a caller is on its way out of submit", {}, stopped_behind_a_caller};

}  // namespace
