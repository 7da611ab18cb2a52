#pragma once
// What the atomics door calls: every access of the program under test, as bits at an address with its
// site in the source. Outside an execution (static initialisation) the calls act on memory directly.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace model {

/// Where an access stands in the source.
struct site {
  const char* file = nullptr;
  int line = 0;
  int column = 0;
};

enum class modification : unsigned char { exchange, add, subtract, bit_or, bit_and };

using bits = std::uint64_t;
constexpr bits apply(modification what, bits old, bits operand) noexcept {
  switch (what) {
    case modification::exchange:
      return operand;
    case modification::add:
      return old + operand;
    case modification::subtract:
      return old - operand;
    case modification::bit_or:
      return old | operand;
    case modification::bit_and:
      return old & operand;
  }
  return old;
}

using order = std::memory_order;
using time_point = std::chrono::steady_clock::time_point;

// Atomics: `size` bytes at `address`, 1 to 8. The memory itself always holds the newest value.
void construct_atomic(void* address, std::size_t size, bits value, site where) noexcept;
void destroy_atomic(void* address, site where) noexcept;
bits atomic_load(const void* address, std::size_t size, order o, site where) noexcept;
void atomic_store(void* address, std::size_t size, bits value, order o, site where) noexcept;
bits atomic_modify(void* address, std::size_t size, modification what, bits operand, order o, site where) noexcept;
struct exchange_request {
  bits expected;
  bits desired;
  order success;
  order failure;
  bool weak;
};
/// True: exchanged. False: `request.expected` holds what was read.
bool atomic_compare_exchange(void* address, std::size_t size, exchange_request& request, site where) noexcept;
void atomic_fence(order o, site where) noexcept;

// Plain data: race-checked by address.
void construct_plain(const void* address, site where) noexcept;
void destroy_plain(const void* address, site where) noexcept;
void read_plain(const void* address, site where) noexcept;
void write_plain(const void* address, site where) noexcept;

// Waiting.
void yield(site where) noexcept;
time_point clock_now(site where) noexcept;
void futex_wait(const void* word, std::uint32_t expected, site where) noexcept;
bool futex_wait_until(const void* word, std::uint32_t expected, time_point deadline, site where) noexcept;
void futex_wake(const void* word, int count, site where) noexcept;

/// Whether a step of the program is to be taken: no, if leaving it out is the active mutant. Stands in the copy of the sources
/// that tools/mutate builds.
bool kept(const char* file = __builtin_FILE(), int line = __builtin_LINE(), int column = __builtin_COLUMN()) noexcept;

/// How many executions have begun so far, in all searches.
std::uint64_t execution() noexcept;

/// Thread 0 sets up and finishes; a program has at most seven more.
inline constexpr int most_threads = 8;

/// The model thread that runs: 0 in set-up and finish, 1, 2, ... in the order of run::thread; -1 outside.
int thread_index() noexcept;

}  // namespace model
