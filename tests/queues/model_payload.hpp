#pragma once
// The item of every queue model: plain data, so that a missing edge is a data race that the checker reports.

#include <sluice/queues/thread_context.hpp>

#include <stdexcept>
#include <utility>

namespace sluice::test {

class payload {
 public:
  explicit payload(int value) noexcept : value_(value) {}
  payload(payload&& other) noexcept : value_(other.value_.get()) { other.value_.set(-1); }
  payload& operator=(payload&&) = delete;
  int value() const noexcept { return value_.get(); }

 private:
  impl::plain<int> value_;
};

/// Whether `call` is refused on a worker. It must be the first thing that it looks at: model threads share their thread_locals.
template <class Call>
bool refused_on_worker(Call&& call) {
  impl::worker_thread_name = "model";
  try {
    call();
  } catch (const std::logic_error&) {
    impl::worker_thread_name = nullptr;
    return true;
  }
  impl::worker_thread_name = nullptr;
  return false;
}

}  // namespace sluice::test
