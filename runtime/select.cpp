#include <sluice/runtime/select.hpp>

#include <sluice/scheduler/scheduler.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sluice::impl {

namespace {

/// The selects that this thread is to settle, while it settles one.
using settling = per_thread<struct settling_tag, select_core**>;

}  // namespace

void throw_no_arms() {
  throw std::invalid_argument(
      "sluice: select has no arm, or none that is enabled, so it would wait for ever: give it one, such as "
      "sleep_for(d)");
}

void select_core::set_arms(std::span<arm_context* const> arms) {
  arms_ = arms;
  if (std::none_of(arms.begin(), arms.end(), [](const arm_context* arm) { return arm->enabled; })) throw_no_arms();
}

// Fisher and Yates: with a first arm chosen at random and the others in their order, one that is ready would have the share of those
// before it that are not.
void select_core::shuffle(std::span<std::size_t> places) noexcept {
  for (std::size_t left = places.size(); left > 1; --left) {
    std::swap(places[left - 1], places[static_cast<std::size_t>(scheduler::random() % left)]);
  }
}

bool select_core::refused() noexcept {
  if (!parent_.cancelled()) return false;
  choice_.store(this, relaxed);  // nobody else knows of it yet
  return true;
}

void select_core::begin(std::coroutine_handle<> self) noexcept {
  parent_.handle = self;
  parent_.note_wait("select", this);
  linked_.set(parent_.arm(link_));
  if (!linked_.get()) (void)choose_this(this);
}

bool select_core::end(std::uint32_t waiting) noexcept {
  const void* const chosen = choice_.load(relaxed);
  // Who was chosen without waiting tells nobody of it; nor does a cancellation that came before the link.
  const bool tells =
      chosen == nullptr ||
      (chosen == this ? linked_.get() : std::any_of(arms_.begin(), arms_.end(), [&](const arm_context* arm) {
        return arm == chosen && arm->waits.get();
      }));
  const std::uint32_t mine = tells ? registered : registered | decided;
  std::uint32_t parties = 1 + static_cast<std::uint32_t>(arms_.size()) - waiting + (linked_.get() ? 0 : 1);
  const std::uint32_t before = phase_.fetch_or(mine, acq_rel);  // E1 publish, E2 observe
  if ((before | mine) == (registered | decided)) parties += settle();
  return !gate_.leave(parties);
}

const void* select_core::result() const {
  parent_.note_wait(nullptr, nullptr);
  const void* const chosen = choice_.load(relaxed);
  if (chosen == this) throw cancelled{};
  return chosen;
}

bool select_core::choose(task_context& arm) noexcept { return choose_this(&arm); }

bool select_core::choose_this(const void* what) noexcept {
  const void* seen = nullptr;
  return choice_.compare_exchange_strong(seen, what, relaxed, relaxed) || seen == what;  // I1
}

void select_core::wake(runnable& of) noexcept {
  leave(choice_.load(relaxed) == static_cast<arm_context*>(&of) && decide());
}

void select_core::pass_on(cancellation&) noexcept { leave(choose_this(this) && decide()); }

// The choice has been made, and its maker tells. True: the caller settles.
bool select_core::decide() noexcept {
  return phase_.fetch_or(decided, acq_rel) == registered;  // E1 observe, E2 publish
}

// One party lets go, after it has cancelled the losers if that is for it to do. What a loser leaves may be another select's choice, whose
// losers are cancelled in turn: one after another, not one within the other.
void select_core::leave(bool settles) noexcept {
  if (!settles) return gate_.leave_and_wake(1, parent_);
  if (select_core** const outer = settling::get()) {
    next_ = *outer;
    *outer = this;
    return;
  }
  select_core* todo = this;
  settling::set(&todo);
  while (todo != nullptr) {
    select_core& one = *todo;
    todo = one.next_;
    one.gate_.leave_and_wake(1 + one.settle(), one.parent_);
  }
  settling::set(nullptr);
}

std::uint32_t select_core::settle() noexcept {
  const void* const chosen = choice_.load(relaxed);
  for (arm_context* const arm : arms_) {
    if (arm->waits.get() && arm != chosen) arm->cancel();
  }
  return linked_.get() && parent_.disarm(link_) ? 1 : 0;
}

}  // namespace sluice::impl
