// stresses: queues/spsc_queue.hpp queues/spsc_ring.hpp
// Linearizability of the spsc_queue, as history_stress.cpp checks that of the queue: one thread puts, one gets, a third one closes, joins and looks.
#include "history_tournament.hpp"

#include <sluice/queues/spsc_queue.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::test {

template <class T>
inline constexpr bool has_one_each<spsc_queue<T>> = true;

namespace {

TEST(spsc_history_stress, every_history_has_an_order_that_explains_it) {
  tournament<spsc_queue<int>>(20000, std::chrono::seconds(1)).run(false);
}

TEST(spsc_history_stress, also_when_moves_take_long) {
  tournament<spsc_queue<slow_token>>(10000, std::chrono::seconds(1)).run(false);
}

}  // namespace
}  // namespace sluice::test
