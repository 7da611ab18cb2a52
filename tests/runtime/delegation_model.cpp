// models: runtime/delegation.hpp runtime/task_group.hpp
// A group's list behind its delegation: children that end, a body that ends, a cancellation; the group is destroyed as
// soon as it has ended.
#include <sluice/model/program.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/runtime/delegation.hpp>
#include <sluice/runtime/gate.hpp>

#include <memory>

namespace {

using namespace sluice::impl;

struct numbered : message {
  explicit numbered(int k) noexcept : kind(k) {}
  int kind;  // 0: a child ends; 1: the body ends; 2: cancellation; 3: a child starts
};

// The steps of task_group::send, post and with_group_scope, with a count for the list.
struct group final : canceller {
  explicit group(thread_context& c, int n) noexcept : context(c), children(n) {}

  bool send(numbered& m) noexcept {
    if (!delegation_.push(m)) return false;
    bool ended = false;
    do {
      for (message* at = delegation_.take(); at != nullptr;) {
        auto& next = static_cast<numbered&>(*at);
        at = at->next;
        handle(next);
      }
      if (body_over.get() == 1 && children.get() == 0 && over.get() == 0) {
        over.set(1);
        ended = true;
      }
    } while (!delegation_.leave());
    return ended;
  }
  void handle(numbered& m) noexcept {
    if (m.kind == 0) children.set(children.get() - 1);
    if (m.kind == 1) body_over.set(1);
    if (m.kind == 2) cancels.set(cancels.get() + 1);
    if (m.kind == 3) children.set(children.get() + 1);
  }
  void post(numbered& m) noexcept {
    if (send(m)) parties.leave_and_wake(context.disarm(link) ? 2 : 1, context);
  }
  void cancel(cancellable&) noexcept override {
    post(cancellation);
    parties.leave_and_wake(1, context);
  }

  thread_context& context;
  cancellable link{this};
  gate parties{2};
  delegation delegation_;
  plain<int> children;
  plain<int> body_over{0};
  plain<int> over{0};
  plain<int> cancels{0};
  numbered cancellation{2};
};

struct state {
  explicit state(int n) : in(std::make_unique<group>(context, n)) { (void)context.arm(in->link); }
  thread_context context;
  std::unique_ptr<group> in;
  numbered first{0};
  numbered second{0};
  numbered body{1};
  numbered start{3};
  int left = -1;
};

void caller(state& s) {
  s.context.park();
  s.left = s.in->children.get();
  s.in.reset();
}

void two_children_and_the_body(model::run& r) {
  auto& s = r.make<state>(1);
  auto* in = s.in.get();
  r.thread("caller", [&s] { caller(s); });
  r.thread("child", [&s, in] { in->post(s.first); });
  r.thread("body", [&s, in] {
    in->post(s.start);
    in->post(s.second);  // stands for the end of the child that it started
    in->post(s.body);
  });
  r.finally([&s] { model::check(s.left == 0, "No child is left."); });
}

void a_canceller_too(model::run& r) {
  auto& s = r.make<state>(1);
  auto* in = s.in.get();
  r.thread("caller", [&s] { caller(s); });
  r.thread("child", [&s, in] { in->post(s.first); });
  r.thread("body", [&s, in] { in->post(s.body); });
  r.thread("canceller", [&s] { s.context.cancel(); });
  r.finally([&s] { model::check(s.left == 0, "No child is left."); });
}

// Without the body's end there is nobody to wake; every message is handled once, in order for each sender.
void three_senders(model::run& r) {
  struct counter {
    delegation inbox;
    plain<int> handled{0};
    numbered messages[3]{numbered{0}, numbered{0}, numbered{0}};
    void send(int which) {
      if (!inbox.push(messages[which])) return;
      do {
        for (message* at = inbox.take(); at != nullptr; at = at->next) handled.set(handled.get() + 1);
      } while (!inbox.leave());
    }
  };
  auto& s = r.make<counter>();
  for (int i = 0; i < 3; ++i) r.thread([&s, i] { s.send(i); });
  r.finally([&s] { model::check(s.handled.get() == 3, "Every message is handled once."); });
}

const model::program senders{"delegation: three senders", {}, three_senders};
const model::program children{"group: children and the body end", {}, two_children_and_the_body};
const model::program cancelled{"group: a child and the body end while a canceller comes", {}, a_canceller_too};

}  // namespace
