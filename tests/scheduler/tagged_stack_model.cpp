// The stack of the frame depot: values go through it exactly once, while its nodes are used again and again.
// models: scheduler/frame_pool.hpp

#include "items.hpp"

#include <sluice/scheduler/tagged_stack.hpp>

namespace {

using namespace sluice::test;
using sluice::impl::tagged_stack;

struct shared {
  tagged_stack<item*, 2> stack;
  std::array<item, 3> items;

  void put(std::size_t i) { model::check(stack.push(filled(items[i])), "There is memory."); }
  void take_one() {
    item* it = nullptr;
    if (stack.pop(it)) take(it);
  }
};

const model::program pop_meets_reuse{
    "tagged stack: a pop in the middle while the top comes back", {}, [](model::run& r) {
      auto& s = r.make<shared>();
      s.put(0);
      s.put(1);
      r.thread("one", [&s] { s.take_one(); });
      r.thread("two", [&s] {
        s.take_one();
        s.take_one();
        s.put(2);
      });
      r.finally([&s] {
        for (int i = 0; i < 3; ++i) s.take_one();
        check_all_taken(s.items);
      });
    }};

const model::program makes_segments{"tagged stack: two threads make the first segments", {}, [](model::run& r) {
                                      auto& s = r.make<shared>();
                                      r.thread("one", [&s] {
                                        s.put(0);
                                        s.put(1);
                                      });
                                      r.thread("two", [&s] {
                                        s.put(2);
                                        s.take_one();
                                      });
                                      r.finally([&s] {
                                        for (int i = 0; i < 3; ++i) s.take_one();
                                        check_all_taken(s.items);
                                      });
                                    }};

// Each node is made once, so its values count the nodes.
int nodes_made = 0;
struct counted {
  counted() noexcept { ++nodes_made; }
  explicit counted(item* i) noexcept : it(i) {}
  item* it = nullptr;
};

const model::program few_nodes{"tagged stack: nodes are used again", {}, [](model::run& r) {
                                 struct pile {
                                   tagged_stack<counted, 1> stack;
                                   std::array<item, 2> items;
                                 };
                                 auto& s = r.make<pile>();
                                 nodes_made = 0;
                                 r.thread("one", [&s] {
                                   for (item& it : s.items) {
                                     model::check(s.stack.push(counted(filled(it))), "There is memory.");
                                     counted got(nullptr);
                                     model::check(s.stack.pop(got) && got.it == &it, "What went in comes out.");
                                     take(got.it);
                                   }
                                   model::check(nodes_made == 1, "One value at a time needs one node.");
                                 });
                               }};

}  // namespace
