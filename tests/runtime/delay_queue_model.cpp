// models: runtime/delay_queue.hpp
#include <sluice/model/program.hpp>
#include <sluice/runtime/delay_queue.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace {

using namespace sluice;

struct state {
  std::unique_ptr<delay_queue<int>> items = std::make_unique<delay_queue<int>>();
};

// Once its gets have returned it may go, while the put that ended the last one is still returning.
void woken_getter_destroys(model::run& r) {
  auto& s = r.make<state>();
  r.thread("putter", [items = s.items.get()] { items->put(1, std::chrono::seconds(0)); });
  r.thread("getter", [&s] {
    model::check(s.items->blocking_get() == 1, "The item.");
    s.items.reset();
  });
}

// Likewise while the close is returning.
void ended_getter_destroys(model::run& r) {
  auto& s = r.make<state>();
  r.thread("closer", [items = s.items.get()] { items->close(); });
  r.thread("getter", [&s] {
    model::check(!s.items->blocking_next(), "Nothing was put.");
    s.items.reset();
  });
}

const model::program p1{"delay: the woken getter destroys the queue", {}, woken_getter_destroys};
const model::program p2{"delay: the getter that has ended destroys the queue", {}, ended_getter_destroys};

}  // namespace
