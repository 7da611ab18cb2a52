#pragma once
// What the models of slots, broadcast and watch share: a value that knows whether it is read while it changes and lies
// on the heap, so that one that is destroyed too early, twice or never is found; and waits as plain threads do them.

#include <sluice/model/program.hpp>
#include <sluice/queues/broadcast.hpp>
#include <sluice/queues/thread_context.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace sluice::test {

using namespace sluice::impl;

class heavy {
 public:
  explicit heavy(int number) : number_(std::make_unique<plain<int>>(number)) {}
  heavy(const heavy& other) : number_(std::make_unique<plain<int>>(other.number())) {}
  heavy(heavy&&) noexcept = default;
  heavy& operator=(heavy&&) noexcept = default;

  int number() const noexcept { return number_ ? number_->get() : -1; }
  void add(int n) noexcept { number_->set(number_->get() + n); }

 private:
  std::unique_ptr<plain<int>> number_;
};

inline constexpr int was_cancelled = -10;
inline constexpr int was_closed = -11;
inline constexpr int came_too_late = -12;

using model_core = broadcast_core<heavy>;
using model_reader = item_reader<heavy>;

struct broadcast_state {
  explicit broadcast_state(std::size_t capacity, std::optional<slot_layout> layout = {})
      : core(std::make_unique<model_core>("broadcast", capacity, "model", layout)) {}
  model_reader subscribe() const { return {*core, core->end()}; }

  std::unique_ptr<model_core> core;
  thread_context one;
  thread_context two;
  plain<int> written{0};
  int got[4]{};
};

// The number, if it was sent.
inline int send(model_core& core, int number) {
  heavy value(number);
  if (core.send(value)) return number;
  model::check(value.number() == number, "A send that failed left the value in the caller's object.");
  return was_closed;
}

inline int next(model_reader& reader, thread_context& context, time_point deadline = time_point::max()) {
  try {
    item_awaiter<heavy, std::optional<heavy>> awaiter(reader, "model.next", context);
    const std::optional<heavy> got = block_on_awaiter(awaiter, context, deadline);
    return got ? got->number() : was_closed;
  } catch (const cancelled&) {
    return was_cancelled;
  } catch (const timed_out&) {
    return came_too_late;
  }
}

inline int next(model_reader& reader) {
  thread_context context;
  return next(reader, context);
}

/// Gives up: at any moment, as far as a model is concerned.
inline int next_in_time(model_reader& reader) {
  thread_context context;
  return next(reader, context, now() + std::chrono::seconds(1));
}

// -1: nothing, or the end.
inline int try_next(model_reader& reader) {
  const std::optional<heavy> got = reader.take<std::optional<heavy>>();
  return got ? got->number() : -1;
}

}  // namespace sluice::test
