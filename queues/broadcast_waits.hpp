#pragma once
// Who reads a broadcast or a watch, item after item, and what the waits for the next one wait with.

#include <sluice/queues/broadcast_core.hpp>
#include <sluice/queues/thread_context.hpp>

#include <coroutine>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace sluice {

struct from_kept_t {
  explicit from_kept_t() = default;
};
/// To begin with what is kept, instead of with the next item: subscribe(from_kept).
inline constexpr from_kept_t from_kept{};

namespace impl {

/// A place in the order of items. Its own task's, but for core(): used by one thread at a time.
template <class T>
class item_reader {
 public:
  item_reader(broadcast_core<T>& core, std::uint64_t position) noexcept
      : core_(&core), position_(position), base_(position), expected_(position) {
    core_->reader_came();
  }
  item_reader(item_reader&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)),
        position_(other.position_),
        base_(other.base_),
        expected_(other.expected_),
        gap_(other.gap_) {}
  item_reader& operator=(item_reader&& other) noexcept {
    if (this != &other) {
      go();
      core_ = std::exchange(other.core_, nullptr);
      position_ = other.position_;
      base_ = other.base_;
      expected_ = other.expected_;
      gap_ = other.gap_;
    }
    return *this;
  }
  ~item_reader() { go(); }

  broadcast_core<T>& core() const noexcept { return *core_; }
  /// Throws std::logic_error when it was moved from.
  item_reader& checked(const char* operation) {
    if (core_ == nullptr) {
      throw std::logic_error(std::string("sluice: ") + operation +
                             " was called on what was moved from: use what it was moved to");
    }
    return *this;
  }

  std::uint64_t position() const noexcept { return position_; }
  std::uint64_t missed() const noexcept { return position_ - base_; }
  std::uint64_t gap() const noexcept { return gap_; }
  std::uint64_t lag() const noexcept {
    const std::uint64_t end = core_->sent();
    return end > position_ ? end - position_ : 0;
  }

  /// The next item, as a copy (std::optional<T>) or where it lies (std::optional<snapshot<T>>), or whether there is one
  /// (bool), which takes nothing. A copy that throws has taken nothing either.
  template <class Result>
  Result take() {
    if constexpr (std::is_same_v<Result, bool>) {
      return core_->peek(position_) == reading::item;
    } else {
      value_node<T>* const got = core_->get(position_);
      if (got == nullptr) return std::nullopt;
      if constexpr (std::is_same_v<Result, std::optional<T>>) {
        const snapshot<T> held = core_->hold(*got);
        std::optional<T> copy(*held);
        pass();
        return copy;
      } else {
        pass();
        return core_->hold(*got);
      }
    }
  }

 private:
  void pass() noexcept {
    gap_ = position_ - expected_;
    expected_ = ++position_;
    ++base_;
  }
  void go() noexcept {
    if (core_ != nullptr) core_->reader_goes();
  }

  broadcast_core<T>* core_;  // null: moved from
  std::uint64_t position_;   // of the item that it has next, or the oldest that is kept after it
  std::uint64_t base_;       // where it began, and what it has seen
  std::uint64_t expected_;   // after the item that it has seen last
  std::uint64_t gap_ = 0;
};

}  // namespace impl

/// What `co_await s.next()`, `s.borrow()` and `w.changed()` wait with. Result is optional<T>, optional<snapshot<T>> or
/// bool.
template <class T, class Result>
class item_awaiter {
 public:
  static constexpr bool is_arm = true;  // of a select

  item_awaiter(impl::item_reader<T>& reader, const char* operation, impl::task_context& context) noexcept
      : wait_(context, reader.position()), reader_(&reader), operation_(operation) {}

  bool await_ready() noexcept {
    if (wait_.context->cancelled()) {
      wait_.result = impl::wait_result::cancelled;
      return true;
    }
    return reader_->core().peek(wait_.position) != impl::reading::nothing;
  }
  bool await_suspend(std::coroutine_handle<> suspended) noexcept {
    wait_.context->handle = suspended;
    return reader_->core().wait(wait_, operation_);
  }
  Result await_resume() {
    impl::waiter_hub::resumed(wait_);
    if (wait_.result == impl::wait_result::cancelled) throw cancelled{};
    return reader_->template take<Result>();
  }

 private:
  [[no_unique_address]] impl::item_waiter wait_;  // so that what follows uses its padding
  impl::item_reader<T>* reader_;
  const char* operation_;
};

namespace impl {

/// `s.next()` and the others: awaited once.
template <class T, class Result>
class [[nodiscard]] item_operation {
 public:
  item_operation(item_reader<T>& reader, const char* operation) noexcept : reader_(&reader), operation_(operation) {}
  item_operation(item_operation&& other) noexcept
      : reader_(std::exchange(other.reader_, nullptr)), operation_(other.operation_) {}

  item_awaiter<T, Result> bind(task_context& context) && {
    item_reader<T>* const reader = std::exchange(reader_, nullptr);
    if (reader == nullptr) {
      throw std::logic_error(std::string("sluice: ") + operation_ + "() was awaited twice: call it again instead");
    }
    return item_awaiter<T, Result>(*reader, operation_, context);
  }

 private:
  item_reader<T>* reader_;
  const char* operation_;
};

/// The same for a plain thread.
template <class Result, class T>
Result block_on_item(item_reader<T>& reader, const char* operation, time_point deadline) {
  thread_context context;
  item_awaiter<T, Result> awaiter(reader, operation, context);
  return block_on_awaiter(awaiter, context, deadline);
}

/// What broadcast<T> and watch<T> ask of T.
template <class T>
struct broadcast_item {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "sluice::broadcast<T>, sluice::watch<T>: T must be a non-const object type");
  static_assert(
      std::is_nothrow_move_constructible_v<T>,
      "sluice::broadcast<T>, sluice::watch<T>: T must be nothrow move constructible, because a value that nobody reads "
      "any more is moved away before it is destroyed; send a std::shared_ptr<const T> instead");
  static_assert(std::is_nothrow_destructible_v<T>,
                "sluice::broadcast<T>, sluice::watch<T>: T's destructor must not throw");
  static_assert(
      alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
      "sluice::broadcast<T>, sluice::watch<T>: T is over-aligned, which coroutine frames do not honour; send a "
      "std::shared_ptr<const T> instead");
};

/// What next(), get() and modify() ask of it besides.
template <class T>
constexpr bool can_be_copied() {
  static_assert(std::is_copy_constructible_v<T>,
                "sluice::broadcast<T>, sluice::watch<T>: T cannot be copied, and each reader has a copy of its own; "
                "borrow() gives "
                "one that is not copied, or send a std::shared_ptr<const T>");
  return true;
}

}  // namespace impl

}  // namespace sluice
