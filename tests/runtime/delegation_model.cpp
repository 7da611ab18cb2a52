// Delegation by itself; task_group_model.cpp runs it as a group uses it.
#include <sluice/model/program.hpp>
#include <sluice/runtime/delegation.hpp>

namespace {

using namespace sluice::impl;

// Every message is handled once, by one thread at a time.
void three_senders(model::run& r) {
  struct parcel : message {
    plain<int> content{0};
  };
  struct counter {
    delegation inbox;
    plain<int> handled{0};
    parcel messages[3];
    void send(int which) {
      messages[which].content.set(1);
      if (!inbox.push(messages[which])) return;
      do {
        for (message* at = inbox.take(); at != nullptr; at = at->next) {
          handled.set(handled.get() + static_cast<parcel*>(at)->content.get());
        }
      } while (!inbox.leave());
    }
  };
  auto& s = r.make<counter>();
  for (int i = 0; i < 3; ++i) r.thread([&s, i] { s.send(i); });
  r.finally([&s] { model::check(s.handled.get() == 3, "Every message is handled once."); });
}

const model::program senders{"delegation: three senders", {}, three_senders};

}  // namespace
