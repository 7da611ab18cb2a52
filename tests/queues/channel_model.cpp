// models: queues/channel.hpp
#include <sluice/model/program.hpp>
#include <sluice/queues/channel.hpp>

#include "model_payload.hpp"

#include <optional>
#include <utility>

namespace {

using namespace sluice;
using namespace sluice::test;

struct ends {
  std::optional<channel_ends<payload>> all = make_channel<payload>(std::size_t{2});
  int got = 0;
};

// Two senders go, each after its last put: the channel closes after both, and the receiver has everything.
void the_last_sender_closes(model::run& r) {
  auto& s = r.make<ends>();
  auto& first = r.make<std::optional<sender<payload>>>(s.all->tx);
  auto& second = r.make<std::optional<sender<payload>>>(s.all->tx);
  s.all->tx.reset();
  r.thread("sender 1", [&first] {
    sender<payload> copy(*first);
    first.reset();
    model::check(copy.receivers() == 1 && copy.try_put(payload(1)), "There is room.");
  });
  r.thread("sender 2", [&second] {
    model::check(second->try_put(payload(2)), "There is room.");
    second.reset();
  });
  r.thread("receiver", [&s] {
    while (const auto item = s.all->rx.blocking_next()) s.got += item->value();
    model::check(s.got == 3 && s.all->rx.senders() == 0, "Everything that was put is got.");
  });
}

// Both sides go at once: somebody destroys what is left, and then the queue.
void both_sides_go(model::run& r) {
  auto& s = r.make<ends>();
  auto& tx = r.make<std::optional<sender<payload>>>(std::move(s.all->tx));
  auto& rx = r.make<std::optional<receiver<payload>>>(std::move(s.all->rx));
  s.all.reset();
  r.thread("sender", [&tx] {
    try {
      (void)tx->try_put(payload(1));
    } catch (const queue_closed&) {
    }
    tx.reset();
  });
  r.thread("receiver", [&rx] { rx.reset(); });
}

// The receiver goes: a sender that waits for room, or comes later, hears of that.
void the_last_receiver_closes(model::run& r) {
  auto& s = r.make<ends>();
  auto& tx = r.make<std::optional<sender<payload>>>(std::move(s.all->tx));
  auto& rx = r.make<std::optional<receiver<payload>>>(std::move(s.all->rx));
  s.all.reset();
  r.thread("sender", [&tx] {
    bool refused = false;
    for (int put = 1; !refused; ++put) {
      try {
        tx->blocking_put(payload(put));
      } catch (const queue_closed&) {
        refused = true;
      }
    }
    tx.reset();
  });
  r.thread("receiver", [&rx] { rx.reset(); });
}

const model::program p1{"channel: the last sender closes", {}, the_last_sender_closes};
const model::program p2{"channel: both sides go", {}, both_sides_go};
const model::program p3{"channel: the last receiver closes", {}, the_last_receiver_closes};

}  // namespace
