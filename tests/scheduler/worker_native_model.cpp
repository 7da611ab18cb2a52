// The shipped worker loop with plain functions that fork: what is forked finds a worker, however long its caller computes. (The
// stand-in for the injection queue is that of worker_model.cpp.)
// models: scheduler/worker.cpp scheduler/worker.hpp scheduler/fork_lane.cpp scheduler/fork_lane.hpp

#include "shop.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::impl;

// The second of two calls; it ends what the first one waits for.
class second_call : public native_call {
 public:
  second_call() : native_call(&run) {}
  plain<int> argument{0};
  plain<int> answer{0};
  long_slice begun;

  void call() {
    answer.set(argument.get() + 1);
    begun.done();
  }

 private:
  static void run(native_call& j) noexcept { static_cast<second_call&>(j).call(); }
};

// A task forks a call, and computes until somebody has made it: whoever is free, searches or sleeps must find it.
const model::program coarse{"worker: two, a plain call is stolen while its caller computes", patient_bounded,
                            [](model::run& r) {
                              auto& s = r.make<shop<1>>(2u);
                              s.set_job(0, [&s] {
                                second_call second;
                                second.argument.set(6);
                                worker& mine = s.me();
                                model::check(mine.fork_call(second), "There is memory.");
                                second.begun.wait();
                                model::check(!mine.take_call_back(), "It was stolen.");
                                mine.await(second);
                                model::check(second.answer.get() == 7, "A stolen call is done once it is awaited.");
                              });
                              s.pool.workers[0]->submit(s[0]);
                              r.thread("worker 0", s.worker(0));
                              r.thread("worker 1", s.worker(1));
                              r.finally([&s] { s.check_prompt(); });
                            }};

// The caller computes for a moment only: the call is taken back, or awaited.
const model::program fine{"worker: two, a plain call is taken back or awaited", patient_bounded, [](model::run& r) {
                            auto& s = r.make<shop<1>>(2u);
                            s.set_job(0, [&s] {
                              second_call second;
                              second.argument.set(6);
                              worker& mine = s.me();
                              model::check(mine.fork_call(second), "There is memory.");
                              if (mine.take_call_back()) {
                                second.call();
                              } else {
                                mine.await(second);
                              }
                              model::check(second.answer.get() == 7, "The call has been made.");
                            });
                            s.pool.workers[0]->submit(s[0]);
                            r.thread("worker 0", s.worker(0));
                            r.thread("worker 1", s.worker(1));
                            r.finally([&s] { s.check_prompt(); });
                          }};

const model::program alone{"worker: one, takes its plain call back", patient, [](model::run& r) {
                             auto& s = r.make<shop<1>>(1u);
                             s.set_job(0, [&s] {
                               second_call second;
                               worker& mine = s.me();
                               model::check(mine.fork_call(second), "There is memory.");
                               model::check(mine.take_call_back(), "Nobody else is there.");
                             });
                             s.pool.workers[0]->submit(s[0]);
                             r.thread("worker", s.worker(0));
                             r.finally([&s] { s.check_end(); });
                           }};

}  // namespace
