#pragma once
// What makes the second await of a named operation an error instead of a second wait.

#include <stdexcept>
#include <utility>

namespace sluice::impl {

/// Held by an operation, whose bind() calls take(). What was moved from counts as awaited.
class awaited_once {
 public:
  awaited_once() noexcept = default;
  awaited_once(awaited_once&& other) noexcept : taken_(std::exchange(other.taken_, true)) {}
  awaited_once& operator=(awaited_once&& other) noexcept {
    taken_ = std::exchange(other.taken_, true);
    return *this;
  }

  /// Throws std::logic_error the second time.
  void take() {
    if (std::exchange(taken_, true)) refuse();
  }

 private:
  [[noreturn]] static void refuse() {
    throw std::logic_error("sluice: an operation was awaited twice, or after it was moved from: call it again instead");
  }

  bool taken_ = false;
};

}  // namespace sluice::impl
