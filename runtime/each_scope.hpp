#pragma once
// when_all over a range: each child is made when it begins (split_scope.hpp).
//
// A line runs one child at a time, so it has room for one; the line of the parent lies in the awaiter, others are made when the rest
// is taken.
//
// I1  Who holds the rest alone touches next_, last_ and made_, and alone calls `make`: one call after another.
// I2  Once a child has failed, or its line is cancelled, nothing more is made.

#include <sluice/runtime/split_scope.hpp>
#include <sluice/runtime/task.hpp>
#include <sluice/scheduler/fork_lane.hpp>
#include <sluice/scheduler/frame_pool.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice {
namespace impl {

/// Where the results of tasks of type T go, by position.
template <class T>
class each_result {
 public:
  explicit each_result(std::size_t n) : outcomes_(n) {}
  result<T>& at(std::size_t i, result<void>&) noexcept { return outcomes_[i]; }
  std::vector<T> take() {
    std::vector<T> values;
    values.reserve(outcomes_.size());
    for (auto& outcome : outcomes_) values.push_back(std::move(outcome.value()));
    return values;
  }

 private:
  std::vector<result<T>> outcomes_;
};
template <>
class each_result<void> {
 public:
  explicit each_result(std::size_t) noexcept {}
  result<void>& at(std::size_t, result<void>& of_line) noexcept {
    of_line.clear();
    return of_line;
  }
  void take() noexcept {}
};

template <class T, class Index, class F>
class each_scope final : public split_scope {
 public:
  each_scope(task_context& parent, const split_kind& kind, Index first, Index last, F& make)
      : split_scope(parent, kind, &begin),
        first_(first),
        next_(first),
        last_(last),
        make_(make),
        results_(position(last)) {}
  ~each_scope() {
    while (made_ != nullptr) {
      beside* const gone = std::exchange(made_, made_->next);
      std::destroy_at(gone);
      free_frame(gone, sizeof(beside));
    }
  }

  bool empty() const noexcept { return next_ == last_; }
  [[gnu::always_inline]] std::coroutine_handle<> start(std::coroutine_handle<> self) noexcept {
    fork_lane& lane = *fork_lane::current();
    if (!enter_directly(self)) [[unlikely]] {
      if (!enter_apart()) return std::noop_coroutine();
      if (begins_elsewhere()) {
        lane.submit(*this);
        return std::noop_coroutine();
      }
      return to_resume(begin_line(lane));
    }
    return begin_next(lane, line(), own_);
  }
  auto take() {
    const bool failed = check();
    if (failed) std::rethrow_exception(std::move(error_));
    if (next_ != last_) throw sluice::cancelled{};
    return results_.take();
  }

 private:
  /// A line's child.
  struct place : frame_owner {
    std::coroutine_handle<> finished(std::coroutine_handle<> frame, task_context& on) noexcept override {
      frame.destroy();
      return scope->child_ended(*this, on);
    }
    each_scope* scope;
    result<T>* outcome;
    bool left_a_rest;
    result<void> unit;  // where T is void
  };
  /// A line beside the parent's.
  struct beside final : place {
    beside(waker& home, runtime_core& core, beside* made_before) noexcept : own_line(home, core), next(made_before) {}
    split_line own_line;
    beside* const next;
  };

  static task_context* begin(chore& self, fork_lane& by) noexcept {
    return static_cast<each_scope&>(self).begin_line(by);
  }

  std::size_t position(Index i) const noexcept {
    using size = std::make_unsigned_t<Index>;
    return static_cast<size>(static_cast<size>(i) - static_cast<size>(first_));
  }

  /// Makes the next child, to run on `on`. False: there is none.
  bool make_next(fork_lane& lane, task_context& on, place& at) noexcept {
    if (next_ == last_ || on.cancelled() || decider() != nullptr) return false;
    try {
      const Index i = next_;
      auto made = std::invoke(make_, Index{i});
      const auto frame = task_access::take(made);
      at.scope = this;
      at.outcome = &results_.at(position(i), at.unit);
      attach(frame, on, at, *at.outcome);
      on.handle = frame;
    } catch (...) {
      if (decide(at)) error_ = std::current_exception();
      return false;
    }
    ++next_;
    at.left_a_rest = next_ != last_;
    if (at.left_a_rest) lane.fork(*this);
    return true;
  }

  // The rest was taken: the next child begins on a line of its own.
  task_context* begin_line(fork_lane& lane) noexcept {
    beside* const added = next_beside();
    if (added == nullptr) return rest_ended();
    add_line(added->own_line);
    running_task::set(&added->own_line);  // it makes the child
    if (make_next(lane, added->own_line, *added)) return &added->own_line;
    task_context* const goes_on = line_ended(added->own_line, true);
    if (goes_on == nullptr) running_task::set(nullptr);
    return goes_on;
  }
  beside* next_beside() noexcept {
    if (decider() != nullptr) return nullptr;
    try {
      made_ = ::new (allocate_frame(sizeof(beside))) beside(home(), core(), made_);
      return made_;
    } catch (...) {
      if (decide(own_)) error_ = std::current_exception();
      return nullptr;
    }
  }

  std::coroutine_handle<> begin_next(fork_lane& lane, task_context& on, place& at) noexcept {
    return make_next(lane, on, at) ? on.handle : to_resume(line_ended(on, true));
  }

  [[gnu::always_inline]] std::coroutine_handle<> child_ended(place& at, task_context& on) noexcept {
    if (at.outcome->has_error() && decide(at)) [[unlikely]]
      error_ = at.outcome->take_error();
    if (at.left_a_rest) {
      fork_lane& lane = *fork_lane::current();
      if (!lane.take_back(*this)) [[unlikely]]
        return to_resume(line_ended(on, false));
      if (was_moved(on)) [[unlikely]]
        return to_resume(moved_line_ended(lane, on));
      return begin_next(lane, on, at);
    }
    if (!uneventful()) [[unlikely]]
      return to_resume(line_ended(on, true));
    return leave_uneventful();
  }

  const Index first_;
  Index next_;  // I1
  const Index last_;
  F& make_;
  each_result<T> results_;
  place own_;                 // of the parent's line
  beside* made_ = nullptr;    // I1
  std::exception_ptr error_;  // of the one that decided
};

}  // namespace impl
}  // namespace sluice
