#pragma once
// The exceptions by which a wait ends without its result.

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace sluice {

/// Thrown by a wait of a task whose cancellation was requested. The wait had no effect.
class cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "sluice: the task was cancelled"; }
};

/// Thrown by a timed wait that did not get its result in time. The wait had no effect.
class timed_out : public std::runtime_error {
 public:
  timed_out() : std::runtime_error("sluice: the wait timed out") {}
};

/// Thrown by a put into a closed queue, and by a get from a queue that is closed and drained.
class queue_closed : public std::runtime_error {
 public:
  queue_closed() : std::runtime_error("sluice: the queue is closed") {}
  explicit queue_closed(const std::string& sentence, std::exception_ptr cause = {})
      : std::runtime_error(sentence), cause_(std::move(cause)) {}
  /// What close() was given; null if nothing was.
  const std::exception_ptr& cause() const noexcept { return cause_; }

 private:
  std::exception_ptr cause_;
};

/// Thrown by a put into a full queue whose policy is to reject.
class queue_full : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sluice
