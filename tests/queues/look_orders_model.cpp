// models: queues/ring.hpp queues/stack.hpp
// The runner looks at the item that is the next to go, and lets go of head; who pops it then has everything that the runner did before.
#include <sluice/model/program.hpp>
#include <sluice/queues/ring.hpp>
#include <sluice/queues/stack.hpp>

#include <cstdint>

namespace {

using namespace sluice::impl;

struct shown {  // the checker sees its copies and its end
  explicit shown(int v) noexcept : value(v) {}
  shown(const shown& other) noexcept : value(other.value.get()) {}
  shown& operator=(const shown&) = delete;
  plain<int> value;
};

template <class Store, bool several>
void look_and_pop(model::run& r) {
  auto& items = r.make<Store>(std::uint64_t{2});
  shown one(1);
  model::check(items.try_push(one) == item_status::done, "There is room.");
  r.thread("runner", [&items] {
    items.freeze_head();
    if (const shown* const front = items.front()) model::check(front->value.get() == 1, "The item.");
    items.thaw_head();
  });
  r.thread("getter", [&items] {
    if constexpr (several) {
      shown out(0);
      (void)items.try_pop_many(&out, 1);
    } else {
      (void)items.try_pop([](shown&& item) { model::check(item.value.get() == 1, "The item."); });
    }
  });
}

const model::program p1{"ring: look x pop", {}, look_and_pop<ring<shown>, false>};
const model::program p2{"ring: look x pop of several", {}, look_and_pop<ring<shown>, true>};
const model::program p3{"stack: look x pop", {}, look_and_pop<stack<shown>, false>};
const model::program p4{"stack: look x pop of several", {}, look_and_pop<stack<shown>, true>};

}  // namespace
