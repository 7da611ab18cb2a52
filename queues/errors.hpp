#pragma once
// The exceptions by which a wait ends without its result.

#include <exception>
#include <stdexcept>
#include <string>

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
  explicit queue_closed(const std::string& sentence) : std::runtime_error(sentence) {}
};

}  // namespace sluice
