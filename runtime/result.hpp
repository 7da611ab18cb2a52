#pragma once
// What a task ended with: nothing yet, a value, or an exception. Owned by one side at a time; the exception
// pointer is moved from owner to owner and never shared between threads.

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace sluice::impl {

/// How a value of T is stored: void as std::monostate.
template <class T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// A variant by hand: every task makes, asks and destroys one, and std::variant dispatches each time.
template <class T>
class result {
 public:
  result() noexcept {}
  result(const result&) = delete;
  result& operator=(const result&) = delete;
  ~result() { destroy(); }

  /// For the first value: nothing is there yet. If making it throws, nothing is.
  template <class... Args>
  void set_first_value(Args&&... args) {
    std::construct_at(&value_, std::forward<Args>(args)...);
    what_ = holds::value;
  }
  /// Nothing, a value or an exception is replaced. If making the value throws, nothing is there.
  template <class... Args>
  void set_value(Args&&... args) {
    clear();
    set_first_value(std::forward<Args>(args)...);
  }
  void set_error(std::exception_ptr error) noexcept {
    clear();
    std::construct_at(&error_, std::move(error));
    what_ = holds::error;
  }

  bool has_value() const noexcept { return what_ == holds::value; }
  bool has_error() const noexcept { return what_ == holds::error; }

  std::exception_ptr take_error() noexcept { return std::exchange(error_, nullptr); }
  stored<T>& value() noexcept { return value_; }

  /// The value, moved out; or throws the exception.
  T get() {
    if (has_error()) [[unlikely]]
      std::rethrow_exception(take_error());
    if constexpr (!std::is_void_v<T>) return std::move(value_);
  }

  /// Nothing is there any more.
  void clear() noexcept {
    destroy();
    what_ = holds::nothing;
  }

 private:
  enum class holds : unsigned char { nothing, value, error };

  void destroy() noexcept {
    if constexpr (!std::is_trivially_destructible_v<stored<T>>) {
      if (what_ == holds::value) std::destroy_at(&value_);
    }
    if (what_ == holds::error) [[unlikely]]
      std::destroy_at(&error_);
  }

  union {
    stored<T> value_;
    std::exception_ptr error_;
  };
  holds what_ = holds::nothing;
};

}  // namespace sluice::impl
