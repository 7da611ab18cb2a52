// models: runtime/fork_join.hpp
// fork_join as it is shipped, on lanes without a worker's loop: whoever makes the second call, its result and its exception arrive,
// and its frame outlives it.

#include <sluice/model/program.hpp>
#include <sluice/runtime/fork_join.hpp>

namespace {

using namespace sluice::impl;

class lane : public fork_lane {
 public:
  lane() noexcept : fork_lane(0) {}
  void steal_from(lane& victim) {
    runnable* r = nullptr;
    if (victim.forks_.steal(r) == decltype(forks_)::outcome::took) (void)begin(static_cast<chore&>(*r));
  }

 private:
  void offer() noexcept override { forks_.publish(); }
  void feed_thieves() noexcept override { forks_.publish(); }
  void put_aside(runnable&) noexcept override { model::fail("There is memory."); }
  void submit(runnable&) noexcept override { model::fail("Nothing is spawned."); }
  bool others_wait() noexcept override { return true; }
  bool may_go_on() noexcept override { return true; }
  bool run_slice(task_context&) noexcept override { model::fail("Only calls are forked here."); }
};

struct state {
  lane owner;
  lane thief;
  plain<int> argument{0};
  atomic<int> calls{0};
};

void thief_and_check(model::run& r, state& s, int calls_at_least) {
  r.thread("thief", [&s] { s.thief.steal_from(s.owner); });
  r.finally([&s, calls_at_least] {
    const int calls = s.calls.load(relaxed);
    model::check(calls_at_least <= calls && calls <= 1, "The second call is made once, if at all.");
  });
}

const model::options no_time_outs{.timeouts = 0};

const model::program results{"fork_join: both results, whoever makes the second call", no_time_outs, [](model::run& r) {
                               auto& s = r.make<state>();
                               r.thread("owner", [&s] {
                                 s.argument.set(6);
                                 const auto second = [&s] {
                                   s.calls.fetch_add(1, relaxed);
                                   return s.argument.get() + 1;
                                 };
                                 const auto both = fork_join_on(s.owner, [] { return 1; }, second);
                                 model::check(both.first == 1 && both.second == 7, "Both results arrive.");
                               });
                               thief_and_check(r, s, 1);
                             }};

const model::program second_throws{"fork_join: the second call throws", no_time_outs, [](model::run& r) {
                                     auto& s = r.make<state>();
                                     r.thread("owner", [&s] {
                                       const auto second = [&s] {
                                         s.calls.fetch_add(1, relaxed);
                                         throw 7;
                                       };
                                       int caught = 0;
                                       try {
                                         fork_join_on(s.owner, [] {}, second);
                                       } catch (int what) {
                                         caught = what;
                                       }
                                       model::check(caught == 7, "What the second call threw arrives.");
                                     });
                                     thief_and_check(r, s, 1);
                                   }};

const model::program first_throws{"fork_join: the first call throws", no_time_outs, [](model::run& r) {
                                    auto& s = r.make<state>();
                                    r.thread("owner", [&s] {
                                      const auto first = [] { throw 8; };
                                      const auto second = [&s] {
                                        s.calls.fetch_add(1, relaxed);
                                        s.argument.set(1);  // races with what follows, if nobody waits for it
                                      };
                                      int caught = 0;
                                      try {
                                        fork_join_on(s.owner, first, second);
                                      } catch (int what) {
                                        caught = what;
                                      }
                                      model::check(caught == 8, "What the first call threw arrives.");
                                      s.argument.set(2);
                                    });
                                    thief_and_check(r, s, 0);
                                  }};

}  // namespace
