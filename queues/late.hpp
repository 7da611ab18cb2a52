#pragma once
// Room for something that is made later, if at all: what a wait registers is not made while there is nothing to wait for.
// The fields that are not written are what the operation's first locked instruction need not wait for.

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace sluice::impl {

template <class T>
class late {
 public:
  late() noexcept {}
  late(const late&) = delete;
  late& operator=(const late&) = delete;
  ~late()
    requires std::is_trivially_destructible_v<T>
  = default;
  ~late() {
    if (made_.is) std::destroy_at(&value_);
  }

  /// At most once.
  template <class... Argument>
  T& emplace(Argument&&... argument) noexcept {
    T& made = *std::construct_at(&value_, std::forward<Argument>(argument)...);
    if constexpr (!std::is_trivially_destructible_v<T>) made_.is = true;
    return made;
  }
  /// What was made.
  T& operator*() noexcept { return value_; }
  T* operator->() noexcept { return &value_; }

 private:
  struct flag {
    bool is = false;
  };
  struct no_flag {};

  union {
    T value_;
  };
  [[no_unique_address]] std::conditional_t<std::is_trivially_destructible_v<T>, no_flag, flag> made_;
};

}  // namespace sluice::impl
