#pragma once
// outcome<T>: how a task ended, as a value.

#include <sluice/runtime/result.hpp>

#include <exception>
#include <utility>
#include <variant>

namespace sluice {

/// A value or the exception that came instead of it. Belongs to one owner; not to be used from two threads at once.
template <class T>
class outcome {
 public:
  explicit outcome(impl::result<T>& from) : state_(taken(from)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  /// The value; where there is none, throws the exception.
  impl::stored<T>& value() {
    if (!has_value()) std::rethrow_exception(std::get<1>(state_));
    return std::get<0>(state_);
  }
  /// The exception, or null when there is a value.
  std::exception_ptr error() const noexcept { return has_value() ? nullptr : *std::get_if<1>(&state_); }

 private:
  using state = std::variant<impl::stored<T>, std::exception_ptr>;

  static state taken(impl::result<T>& from) {
    if (from.has_error()) return state(std::in_place_index<1>, from.take_error());
    return state(std::in_place_index<0>, std::move(from.value()));
  }

  state state_;
};

}  // namespace sluice
