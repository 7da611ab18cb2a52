// stresses: queues/lifo_queue.hpp queues/stack.hpp queues/queue_core.hpp
// Linearizability of the lifo_queue, as history_stress.cpp checks that of the queue: the newest item goes first.
#include "history_tournament.hpp"

#include <sluice/queues/lifo_queue.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::test {
namespace {

TEST(lifo_history_stress, every_history_has_an_order_that_explains_it) {
  tournament<lifo_queue<token>>(60000, std::chrono::seconds(4)).run(true);
}

TEST(lifo_history_stress, also_when_moves_take_long) {
  tournament<lifo_queue<slow_token>>(20000, std::chrono::seconds(2)).run(true);
}

TEST(lifo_history_stress, also_when_items_are_looked_at) {
  tournament<lifo_queue<int>>(20000, std::chrono::seconds(2)).run(true);
}

}  // namespace
}  // namespace sluice::test
