#include <sluice/model/fiber.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <sys/mman.h>

#if !SLUICE_MODEL_USES_UCONTEXT
// model_switch(save, to): pushes what the x86-64 convention says a callee keeps, leaves the stack
// pointer in *save and returns on the stack `to`. A new fiber "returns" into model_enter with its entry
// in r12 and the argument in r13.
extern "C" void model_switch(void** save, void* to) noexcept;
extern "C" void model_enter();
asm(R"(
.text
.type model_switch, @function
model_switch:
  .cfi_startproc
  endbr64
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
  .cfi_endproc
.size model_switch, .-model_switch
.type model_enter, @function
model_enter:
  .cfi_startproc
  .cfi_undefined rip
  mov %r13, %rdi
  call *%r12
  ud2
  .cfi_endproc
.size model_enter, .-model_enter
)");
#endif

namespace model {
namespace {

constexpr std::size_t guard = 4096;

void* new_stack() {
  void* memory = ::mmap(nullptr, guard + fiber::stack_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || ::mprotect(memory, guard, PROT_NONE) != 0) {
    std::perror("model: no memory for the stack of a model thread");
    std::abort();
  }
  return memory;
}

}  // namespace

fiber::~fiber() {
  if (stack_ != nullptr) ::munmap(stack_, guard + stack_size);
}

std::size_t fiber::depth(const void* p) const noexcept {
  const char* begin = static_cast<const char*>(stack_);
  const char* at = static_cast<const char*>(p);
  if (begin == nullptr || at < begin || at >= begin + guard + stack_size) return 0;
  return static_cast<std::size_t>(begin + guard + stack_size - at);
}

#if SLUICE_MODEL_USES_UCONTEXT

namespace {
void enter(unsigned entry_high, unsigned entry_low, unsigned argument_high, unsigned argument_low) {
  const auto join = [](unsigned high, unsigned low) {
    return static_cast<std::uintptr_t>((static_cast<std::uint64_t>(high) << 32) | low);
  };
  reinterpret_cast<void (*)(void*)>(join(entry_high, entry_low))(
      reinterpret_cast<void*>(join(argument_high, argument_low)));
}
}  // namespace

void fiber::prepare(void (*entry)(void*), void* argument) {
  if (stack_ == nullptr) stack_ = new_stack();
  exceptions_ = {};
  ::getcontext(&context_);
  context_.uc_stack.ss_sp = static_cast<char*>(stack_) + guard;
  context_.uc_stack.ss_size = stack_size;
  context_.uc_link = nullptr;
  const auto e = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(entry));
  const auto a = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(argument));
  ::makecontext(&context_, reinterpret_cast<void (*)()>(enter), 4, static_cast<unsigned>(e >> 32),
                static_cast<unsigned>(e), static_cast<unsigned>(a >> 32), static_cast<unsigned>(a));
}

#else

void fiber::prepare(void (*entry)(void*), void* argument) {
  if (stack_ == nullptr) stack_ = new_stack();
  exceptions_ = {};
  // Popped by model_switch: r15 r14 r13 r12 rbx rbp, then the return address. That leaves the stack pointer at the last
  // but one word, a multiple of 16, as the call in model_enter wants it.
  auto** top = reinterpret_cast<void**>(static_cast<char*>(stack_) + guard + stack_size) - 9;
  top[0] = nullptr;
  top[1] = nullptr;
  top[2] = argument;
  top[3] = reinterpret_cast<void*>(entry);
  top[4] = nullptr;
  top[5] = nullptr;
  top[6] = reinterpret_cast<void*>(&model_enter);
  top_ = top;
}

#endif

void fiber::change(fiber& from, fiber& to) noexcept {
  static auto* const current = reinterpret_cast<exceptions*>(abi::__cxa_get_globals());
  from.exceptions_ = *current;
  *current = to.exceptions_;
#if SLUICE_MODEL_USES_UCONTEXT
  ::swapcontext(&from.context_, &to.context_);
#else
  model_switch(&from.top_, to.top_);
#endif
}

}  // namespace model
