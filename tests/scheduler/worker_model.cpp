// The worker's LIFO slot, as worker.hpp uses it: the owner puts in and takes out, a thief takes out.

#include "items.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::impl;

struct shared {
  // worker::wake; what was displaced goes to the ring, here straight to its taker.
  void wake(item& it) {
    filled(it);
    if (slot.load(relaxed) == nullptr) {
      slot.store(&it, release);
    } else if (item* const displaced = slot.exchange(&it, acq_rel)) {
      take(displaced);
    }
  }
  void take_out() {  // worker::take_lifo and worker::steal_from
    if (slot.load(relaxed) == nullptr) return;
    if (item* const it = slot.exchange(nullptr, acquire)) take(it);
  }

  atomic<item*> slot{nullptr};
  std::array<item, 3> items;
};

const model::program slot{"worker: the LIFO slot between its owner and two thieves", {}, [](model::run& r) {
                            auto& s = r.make<shared>();
                            r.thread("owner", [&s] {
                              s.wake(s.items[0]);
                              s.wake(s.items[1]);
                              s.take_out();
                              s.wake(s.items[2]);
                            });
                            r.thread("thief", [&s] {
                              s.take_out();
                              s.take_out();
                            });
                            r.thread("thief", [&s] { s.take_out(); });
                            r.finally([&s] {
                              s.take_out();
                              check_all_taken(s.items);
                            });
                          }};

}  // namespace
