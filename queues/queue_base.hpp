#pragma once
// What a queue is whatever its items are: a name, a hub, something that counts finished items, and why it is closed.
//
// I1  The first cause that is given stays. It is given before the store is closed.
// E1  a cause is given (release) -> close -> who has heard of that asks why (acquire): the exception.

#include <sluice/queues/atomic.hpp>
#include <sluice/queues/waiter_hub.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace sluice::impl {

enum class queue_kind : std::uint8_t {
  bounded,
  unbounded,   // grows when it is full
  rendezvous,  // has no cells: each put meets a get
};

class queue_base : public waiter_hub {
 public:
  /// `count` items that were got are finished. Throws std::logic_error.
  virtual void task_done(std::uint64_t count) = 0;

  const std::string& name() const noexcept { return name_; }
  /// The same, where more than were put is a mistake that cannot be thrown: prints the sentence and `why`, and aborts.
  void end_task(const char* why) noexcept;

  /// Why the queue is closed, unless it was said before. Throws std::bad_alloc.
  void give_cause(std::exception_ptr cause);
  /// What was given, once the queue is closed; null if nothing was.
  std::exception_ptr cause() const noexcept;

  /// What a wait throws that has no result.
  [[noreturn]] void throw_failed(wait_result result, const char* operation) const;
  [[noreturn]] void throw_closed(const char* operation) const;

 protected:
  queue_base(waiter_list* lists, std::string name) noexcept : waiter_hub(lists), name_(std::move(name)) {}
  ~queue_base();

  [[noreturn]] void refuse_task_done(std::uint64_t count, std::uint64_t unfinished) const;
  [[noreturn]] void fail_destroyed(std::size_t getters, std::size_t putters, std::size_t joiners) const noexcept;
  [[noreturn]] void fail_reserved(std::uint64_t slots) const noexcept;

 private:
  std::string name_;
  atomic<std::exception_ptr*> cause_{nullptr};  // E1; owned
};

}  // namespace sluice::impl
