#pragma once
// What a queue is whatever its items are: a name, a hub, and something that counts finished items.

#include <sluice/queues/waiter_hub.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace sluice::impl {

class queue_base : public waiter_hub {
 public:
  /// `count` items that were got are finished. Throws std::logic_error.
  virtual void task_done(std::uint64_t count) = 0;

  const std::string& name() const noexcept { return name_; }
  /// What a wait throws that has no result.
  [[noreturn]] void throw_failed(wait_result result, const char* operation) const;
  [[noreturn]] void throw_closed(const char* operation) const;

 protected:
  queue_base(waiter_list* lists, std::string name) noexcept : waiter_hub(lists), name_(std::move(name)) {}
  ~queue_base() = default;

  [[noreturn]] void refuse_task_done(std::uint64_t count, std::uint64_t unfinished) const;
  [[noreturn]] void fail_destroyed(std::size_t getters, std::size_t putters, std::size_t joiners) const noexcept;

 private:
  std::string name_;
};

}  // namespace sluice::impl
