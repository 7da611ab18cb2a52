#pragma once
// The item of every queue model: plain data, so that a missing edge is a data race that the checker reports.

#include <sluice/queues/atomic.hpp>

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

}  // namespace sluice::test
