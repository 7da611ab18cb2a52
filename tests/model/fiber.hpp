#pragma once
// A thread of the program under test: a stack of its own, switched by hand, with its own state of
// exceptions in flight (so that a catch block may be interrupted by another thread's catch block).

#include <cstddef>

#if !defined(__x86_64__) || defined(SLUICE_MODEL_UCONTEXT)
#include <ucontext.h>
#define SLUICE_MODEL_USES_UCONTEXT 1
#else
#define SLUICE_MODEL_USES_UCONTEXT 0
#endif

namespace model {

class fiber {
 public:
  fiber() = default;
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber();

  /// The next switch to this fiber calls `entry(argument)`, which must never return. What ran on the stack before
  /// is forgotten without being unwound.
  void prepare(void (*entry)(void*), void* argument);

  /// Leaves `from`, which is running, and goes on where `to` was left.
  static void change(fiber& from, fiber& to) noexcept;

  /// How far `p` lies below the end of this stack; 0 if it lies elsewhere.
  std::size_t depth(const void* p) const noexcept;

  static constexpr std::size_t stack_size = 256 * 1024;

 private:
  struct exceptions {  // what __cxa_get_globals() points to
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };

  void* stack_ = nullptr;  // null for the context that the process began with
  exceptions exceptions_;
#if SLUICE_MODEL_USES_UCONTEXT
  ucontext_t context_{};
#else
  void* top_ = nullptr;  // the stack pointer where the fiber was left
#endif
};

}  // namespace model
