// stresses: queues/queue.hpp queues/queue_waits.hpp queues/ring.hpp queues/queue_core.hpp
// Linearizability of the queue: short histories of real threads, on queues of every kind, with waits that are cancelled in between. Each is
// explained by some order of its steps (history.hpp), or the test fails.
#include "history_tournament.hpp"

#include <sluice/queues/queue.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::test {
namespace {

TEST(history_stress, every_history_has_an_order_that_explains_it) {
  tournament<queue<token>>(80000, std::chrono::seconds(6)).run(false);
}

TEST(history_stress, also_when_moves_take_long) {
  tournament<queue<slow_token>>(30000, std::chrono::seconds(3)).run(false);
}

TEST(history_stress, also_when_items_are_looked_at) {
  tournament<queue<int>>(30000, std::chrono::seconds(2)).run(false);
}

}  // namespace
}  // namespace sluice::test
