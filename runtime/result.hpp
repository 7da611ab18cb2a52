#pragma once
// What a task ended with: nothing yet, a value, or an exception. Owned by one side at a time; the exception
// pointer is moved from owner to owner and never shared between threads.

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace sluice::impl {

/// How a value of T is stored: void as std::monostate.
template <class T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
class result {
 public:
  result() = default;
  result(const result&) = delete;
  result& operator=(const result&) = delete;

  template <class... Args>
  void set_value(Args&&... args) {
    state_.template emplace<1>(std::forward<Args>(args)...);
  }
  void set_error(std::exception_ptr error) noexcept { state_.template emplace<2>(std::move(error)); }

  bool has_value() const noexcept { return state_.index() == 1; }
  bool has_error() const noexcept { return state_.index() == 2; }

  /// Moves what `other` holds, a value or an exception, into this one. A T whose move throws ends as that exception.
  void take_from(result& other) noexcept {
    if (other.has_error()) return set_error(other.take_error());
    if constexpr (std::is_nothrow_move_constructible_v<stored<T>>) {
      set_value(std::move(other.value()));
    } else {
      try {
        set_value(std::move(other.value()));
      } catch (...) {
        set_error(std::current_exception());
      }
    }
  }

  std::exception_ptr take_error() noexcept { return std::exchange(std::get<2>(state_), nullptr); }
  stored<T>& value() noexcept { return *std::get_if<1>(&state_); }

  /// The value, moved out; or throws the exception.
  T get() {
    if (has_error()) std::rethrow_exception(take_error());
    if constexpr (!std::is_void_v<T>) return std::move(value());
  }

 private:
  std::variant<std::monostate, stored<T>, std::exception_ptr> state_;
};

}  // namespace sluice::impl
