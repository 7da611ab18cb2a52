// Symmetric transfer: a chain of any length uses one stack frame.

#include <sluice/scheduler/transfer.hpp>

#include <gtest/gtest.h>

#include <exception>

namespace sluice::impl {
namespace {

struct link {
  struct promise_type {
    link get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

struct to {
  std::coroutine_handle<>* next;
  bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept { return transfer(*next); }
  void await_resume() noexcept {}
};

link bounce(std::coroutine_handle<>& other, long& left) {
  while (--left > 0) co_await to{&other};
}

TEST(Transfer, AMillionHopsDoNotGrowTheStack) {
  std::coroutine_handle<> a;
  std::coroutine_handle<> b;
  long left = 1'000'000;
  const link first = bounce(b, left);
  const link second = bounce(a, left);
  a = first.handle;
  b = second.handle;
  resume(a);
  EXPECT_LE(left, 0);
  first.handle.destroy();
  second.handle.destroy();
}

}  // namespace
}  // namespace sluice::impl
