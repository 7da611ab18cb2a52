// The checker's own abilities: each kind of failure is found, and what is right passes.

#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

namespace {

using namespace sluice::impl;
using model::options;
using model::program;
using model::run;
using sluice::impl::pause;  // not the one of <unistd.h>
using word = atomic<std::uint32_t>;

options fails(const char* text) { return {.must_fail = text, .cross_check = true}; }
const options passes{.cross_check = true};

// ---- Races ---------------------------------------------------------------------------------------------------------

const program race{"checker: a data race is found", fails("Data race"), [](run& r) {
                     auto& x = r.make<plain<int>>(0);
                     r.thread([&x] { x.set(1); });
                     r.thread([&x] { (void)x.get(); });
                   }};

const program readers{"checker: two readers do not race", passes, [](run& r) {
                        auto& x = r.make<plain<int>>(1);
                        r.thread([&x] { (void)x.get(); });
                        r.thread([&x] { (void)x.get(); });
                        r.finally([&x] { x.set(2); });
                      }};

// A one-cell ring: item after item is constructed and destroyed in the same bytes. With a relaxed hand-back the
// second construction is not ordered after the first destruction, although the objects are different ones.
auto wrap_around(order hand_back) {
  return [hand_back](run& r) {
    struct state {
      word full{0};
      alignas(plain<int>) std::byte cell[sizeof(plain<int>)];
      plain<int>* item() { return std::launder(reinterpret_cast<plain<int>*>(cell)); }
    };
    auto& s = r.make<state>();
    r.thread("putter", [&s] {
      for (int i = 0; i < 2; ++i) {
        while (s.full.load(acquire) != 0) pause();
        new (s.cell) plain<int>(i);
        s.full.store(1, release);
      }
    });
    r.thread("getter", [=, &s] {
      for (int i = 0; i < 2; ++i) {
        while (s.full.load(acquire) == 0) pause();
        model::check(s.item()->get() == i, "Items arrive in order.");
        s.item()->~plain<int>();
        s.full.store(0, hand_back);
      }
    });
  };
}

const program wrap_bug{"checker: a race through reused storage is found", fails("Data race"), wrap_around(relaxed)};
const program wrap_fix{"checker: storage handed back with release is reused", passes, wrap_around(release)};

// An atomic's construction is no atomic access: whoever reaches the object must be ordered after it.
auto publish_object(order store) {
  return [store](run& r) {
    auto& slot = r.make<atomic<word*>>(nullptr);
    r.thread("maker", [=, &slot] { slot.store(new word{7}, store); });
    r.thread("user", [&slot] {
      if (word* w = slot.load(acquire)) model::check(w->load(relaxed) == 7, "Initialised.");
    });
    r.finally([&slot] { delete slot.load(relaxed); });
  };
}

const program construct_bug{"checker: an unpublished construction is found", fails("Data race"),
                            publish_object(relaxed)};
const program construct_fix{"checker: a published construction passes", passes, publish_object(release)};

// ---- Lifetimes and memory ------------------------------------------------------------------------------------------

// Two owners count down; the last frees. Relaxed counting frees what the other may still use.
auto count_down(order o, bool touch_after) {
  return [=](run& r) {
    struct shared {
      word owners{2};
      plain<int> data[2]{};
    };
    auto* s = new shared;
    for (int i = 0; i < 2; ++i) {
      r.thread([=] {
        s->data[i].set(1);
        if (s->owners.fetch_sub(1, o) == 1) {
          delete s;
        } else if (touch_after) {
          (void)s->owners.load(relaxed);
        }
      });
    }
  };
}

const program last_owner{"checker: the last owner frees", passes, count_down(acq_rel, false)};
const program relaxed_owner{"checker: freeing what another still uses is found", fails("Data race"),
                            count_down(relaxed, false)};
const program late_owner{"checker: a touch after the last release is found", fails("@"), count_down(acq_rel, true)};

const program use_after_free{"checker: a use after free is found", fails("Use after free"), [](run& r) {
                               auto* w = new word{0};
                               auto& freed = r.make<word>(0u);
                               r.thread("owner", [&freed, w] {
                                 delete w;
                                 freed.store(1, release);
                               });
                               r.thread("user", [&freed, w] {
                                 if (freed.load(acquire) == 1) (void)w->load(relaxed);
                               });
                             }};

// An index that is too large by one: behind the array lies nothing that was made, or something else.
const program out_of_bounds{
    "checker: an atomic that nobody made is found", fails("No atomic was constructed"), [](run& r) {
      struct two {
        word made[2];
        std::uint64_t behind[2];
      };
      auto& words = r.make<two>();
      r.thread([&words] {
        const auto at = [&](std::size_t i) -> word& {
          return *std::launder(reinterpret_cast<word*>(reinterpret_cast<std::byte*>(&words) + i * sizeof(word)));
        };
        for (std::size_t i = 0; i < 3; ++i) (void)at(i).load(relaxed);
      });
    }};

const program use_after_destruction{"checker: a use after destruction is found", fails("Use after destruction"),
                                    [](run& r) {
                                      auto& destroyed = r.make<word>(0u);
                                      auto& storage = r.make<std::aligned_storage_t<sizeof(word), alignof(word)>>();
                                      auto* w = new (&storage) word{0};
                                      r.thread("owner", [&destroyed, w] {
                                        w->~atomic();
                                        destroyed.store(1, release);
                                      });
                                      r.thread("user", [&destroyed, w] {
                                        if (destroyed.load(acquire) == 1) w->store(1, relaxed);
                                      });
                                    }};

const program leak{"checker: a leak is found", fails("Leak: 24 bytes"), [](run& r) {
                     auto& x = r.make<word>(0u);
                     auto& kept = r.make<char*>();
                     r.thread([&] {
                       if (x.load(relaxed) == 1) kept = new char[24];
                     });
                     r.thread([&x] { x.store(1, relaxed); });
                   }};

const program freed_twice{"checker: freeing twice is found", fails("Freed twice"), [](run& r) {
                            auto* p = new int;
                            auto& x = r.make<word>(0u);
                            r.thread([&x, p] {
                              if (x.fetch_add(1, acq_rel) < 2) delete p;
                            });
                            r.thread([&x, p] {
                              if (x.fetch_add(1, acq_rel) < 2) delete p;
                            });
                          }};

const program strings{"checker: what a program allocates and frees is no leak", passes, [](run& r) {
                        auto& s = r.make<std::string>(std::size_t{100}, 'x');
                        auto& count = r.make<std::shared_ptr<int>>(std::make_shared<int>(1));
                        for (int i = 0; i < 2; ++i) {
                          r.thread([&s] {
                            const std::string copy = s + s;
                            model::check(copy.size() == 200, "Copied.");
                          });
                        }
                        r.finally([&count] { model::check(*count == 1, "Kept."); });
                      }};

// ---- Sleeping ------------------------------------------------------------------------------------------------------

const program deadlock{"checker: a deadlock is found", fails("Deadlock"), [](run& r) {
                         struct state {
                           word locks[2]{word{0}, word{0}};
                         };
                         auto& s = r.make<state>();
                         const auto lock = [](word& w) {
                           while (w.exchange(1, acquire) == 1) futex::wait(w, 1);
                         };
                         const auto unlock = [](word& w) {
                           w.store(0, release);
                           futex::wake(w, 1);
                         };
                         for (int i = 0; i < 2; ++i) {
                           r.thread([=, &s] {
                             lock(s.locks[i]);
                             lock(s.locks[1 - i]);
                             unlock(s.locks[1 - i]);
                             unlock(s.locks[i]);
                           });
                         }
                       }};

// The classical lost wakeup: the waker stores after its wake.
auto wake_up(bool store_first) {
  return [=](run& r) {
    auto& w = r.make<word>(0u);
    r.thread("waker", [=, &w] {
      if (store_first) w.store(1, release);
      futex::wake(w, 1);
      if (!store_first) w.store(1, release);
    });
    r.thread("sleeper", [&w] {
      while (w.load(acquire) == 0) futex::wait(w, 0);
    });
  };
}

const program lost_wakeup{"checker: a lost wakeup is found", fails("lost wakeup"), wake_up(false)};
const program kept_wakeup{"checker: a store before its wake loses nothing", passes, wake_up(true)};

// Whom a wake of one wakes is anybody's guess: not first come, first served.
const program any_sleeper{
    "checker: a wake of one may wake any sleeper", {.outcomes = {"1", "2"}, .cross_check = true}, [](run& r) {
      struct state {
        word queue{0};
        word first{0};
      };
      auto& s = r.make<state>();
      for (std::uint32_t i = 1; i <= 2; ++i) {
        r.thread([=, &s] {
          futex::wait(s.queue, 0);
          std::uint32_t none = 0;
          s.first.compare_exchange_strong(none, i, relaxed, relaxed);
          futex::wake(s.queue, 1);
        });
      }
      r.thread([&s] {
        s.queue.store(1, relaxed);
        futex::wake(s.queue, 1);
      });
      r.finally([&s] { model::outcome({static_cast<int>(s.first.load(relaxed))}); });
    }};

// A wait with a deadline may end either way, and the clock has then reached the deadline.
const program time_out{
    "checker: a time-out may come before or after the wake", {.outcomes = {"0", "1"}, .cross_check = true}, [](run& r) {
      struct state {
        word w{0};
        int woken = 0;
      };
      auto& s = r.make<state>();
      r.thread("sleeper", [&s] {
        const auto deadline = now() + std::chrono::seconds{1};
        s.woken = futex::wait_until(s.w, 0, deadline) ? 1 : 0;
        model::check(s.woken == 1 || now() >= deadline, "A time-out is not early.");
      });
      r.thread("waker", [&s] {
        s.w.store(1, relaxed);
        futex::wake(s.w, 1);
      });
      r.finally([&s] { model::outcome({s.woken}); });
    }};

const program time_passes{
    "checker: when nobody can run, time passes", {.timeouts = 0, .cross_check = true}, [](run& r) {
      auto& w = r.make<word>(0u);
      r.thread([&w] {
        const auto deadline = now() + std::chrono::hours{1};
        while (now() < deadline) {
          model::check(!futex::wait_until(w, 0, deadline), "Nobody wakes.");
        }
      });
    }};

// ---- Spinning ------------------------------------------------------------------------------------------------------

const program spin{"checker: spinning threads do not starve the one they wait for", passes, [](run& r) {
                     auto& go = r.make<word>(0u);
                     for (int i = 0; i < 2; ++i) {
                       r.thread([&go] {
                         while (go.load(acquire) == 0) pause();
                       });
                     }
                     r.thread([&go] { go.store(1, release); });
                   }};

const program livelock{"checker: a livelock is found", {.must_fail = "No end after", .max_steps = 200}, [](run& r) {
                         auto& go = r.make<word>(0u);
                         r.thread([&go] {
                           while (go.load(acquire) == 0) pause();
                         });
                       }};

// A weak exchange may fail although nobody interferes, so often as the program allows.
const program spurious{"checker: a weak exchange fails for no reason",
                       {.outcomes = {"0", "1"}, .spurious = 1, .cross_check = true},
                       [](run& r) {
                         auto& w = r.make<word>(0u);
                         r.thread([&w] {
                           std::uint32_t expected = 0;
                           while (!w.compare_exchange_weak(expected, 1, relaxed, relaxed)) {
                             model::check(expected == 0, "The value was as expected.");
                             model::outcome({0});
                           }
                           model::outcome({1});
                         });
                       }};

// ---- What model threads can run ------------------------------------------------------------------------------------

const program escaping{"checker: an escaping exception is found", fails("the reason"),
                       [](run& r) { r.thread([] { throw std::runtime_error("the reason"); }); }};

// A thread is switched away from inside a catch block while the other enters one of its own.
const program exceptions{"checker: catch blocks of several threads interleave", passes, [](run& r) {
                           auto& x = r.make<word>(0u);
                           for (int i = 0; i < 2; ++i) {
                             r.thread([=, &x] {
                               try {
                                 x.fetch_add(1, relaxed);
                                 throw i;
                               } catch (int thrown) {
                                 x.fetch_add(1, relaxed);
                                 model::check(std::uncaught_exceptions() == 0, "Caught.");
                                 try {
                                   throw;
                                 } catch (int again) {
                                   x.fetch_add(1, relaxed);
                                   model::check(thrown == i && again == i, "Each thread catches what it threw.");
                                 }
                               }
                             });
                           }
                         }};

const program crash{"checker: a crash of the program is found, with its trace", fails("Crashed"), [](run& r) {
                      auto& x = r.make<atomic<int*>>(nullptr);
                      r.thread([&x] { *x.load(relaxed) = 1; });
                    }};

const program aborts{"checker: an abort of the program is found", fails("Crashed"), [](run& r) {
                       auto& x = r.make<word>(0u);
                       r.thread([&x] {
                         if (x.load(relaxed) == 1) std::abort();
                       });
                       r.thread([&x] { x.store(1, relaxed); });
                     }};

const program indices{"checker: a thread knows its index", passes, [](run& r) {
                        model::check(model::thread_index() == 0, "Set-up is thread 0.");
                        for (int i = 1; i <= 3; ++i) {
                          r.thread([i] { model::check(model::thread_index() == i, "In order of definition."); });
                        }
                      }};

// A coroutine that suspends on one thread and is resumed on another.
struct detached {
  struct promise_type {
    detached get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<> handle;
};

detached hop(atomic<void*>& slot, plain<int>& data) {
  struct hand_over {
    atomic<void*>& slot;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) const noexcept { slot.store(h.address(), release); }
    void await_resume() const noexcept {}
  };
  data.set(1);
  const int before = model::thread_index();
  co_await hand_over{slot};
  model::check(data.get() == 1 && model::thread_index() != before, "The frame moved to the other thread.");
}

const program coroutine{"checker: a coroutine is resumed on another thread", passes, [](run& r) {
                          struct state {
                            atomic<void*> slot{nullptr};
                            plain<int> data{0};
                          };
                          auto& s = r.make<state>();
                          r.thread([&s] { hop(s.slot, s.data).handle.resume(); });
                          r.thread([&s] {
                            void* frame = nullptr;
                            while ((frame = s.slot.load(acquire)) == nullptr) pause();
                            const auto handle = std::coroutine_handle<>::from_address(frame);
                            handle.resume();
                            handle.destroy();
                          });
                        }};

}  // namespace
