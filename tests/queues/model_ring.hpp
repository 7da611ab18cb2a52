#pragma once
// What the models of the ring share: a ring without waiters, and puts and gets that try until it works.

#include <sluice/model/program.hpp>
#include <sluice/queues/ring.hpp>

#include "model_payload.hpp"

#include <cstddef>
#include <utility>

namespace sluice::test {

using namespace sluice::impl;

struct ring_state {
  explicit ring_state(std::size_t capacity) : items(capacity) {}
  ring<payload> items;
  int sum[2]{};
};

inline void put(ring_state& s, int value) {
  payload item(value);
  while (s.items.try_push(item) != item_status::done) yield_thread();
}

inline int get(ring_state& s) {
  int value = 0;
  while (s.items.try_pop([&](payload&& item) { value = payload(std::move(item)).value(); }) != item_status::done) {
    yield_thread();
  }
  return value;
}

}  // namespace sluice::test
