#pragma once
// Who owns the frame of a coroutine that nobody co_awaits, and learns of its end.

#include <sluice/queues/task_context.hpp>

#include <coroutine>

namespace sluice::impl {

class frame_owner {
 public:
  /// The coroutine has come to its end, and its result is where its promise said: destroys `frame`, and says who goes on in
  /// its place. `line` is the context that it ran in.
  virtual std::coroutine_handle<> finished(std::coroutine_handle<> frame, task_context& line) noexcept = 0;

 protected:
  ~frame_owner() = default;
};

}  // namespace sluice::impl
