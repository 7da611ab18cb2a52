// To be disassembled, not run: the paths that fork and take back without a read-modify-write, each in a function of its own, and
// controls that have one. What check_private_path.py looks for in `path_*` it must find in `control_*`.

#include <sluice/queues/atomic.hpp>
#include <sluice/scheduler/fork_deque.hpp>
#include <sluice/scheduler/fork_lane.hpp>

#include <cstdint>

using namespace sluice::impl;

extern "C" {

bool path_push(fork_deque<int>& deque, int* item) noexcept;
int* path_pop(fork_deque<int>& deque) noexcept;
bool path_pop_if(fork_deque<int>& deque, const int* item) noexcept;
void path_fork(fork_lane& lane, runnable& child) noexcept;
bool path_take_back(fork_lane& lane, runnable& child) noexcept;
bool path_fork_call(fork_lane& lane, native_call& call) noexcept;
bool path_take_call_back(fork_lane& lane) noexcept;
std::uint64_t control_add(atomic<std::uint64_t>& word) noexcept;
bool control_exchange(atomic<std::uint64_t>& word) noexcept;
bool control_compare(atomic<std::uint64_t>& word) noexcept;
bool control_publish(fork_deque<int>& deque) noexcept;

bool path_push(fork_deque<int>& deque, int* item) noexcept { return deque.push(item); }
int* path_pop(fork_deque<int>& deque) noexcept { return deque.pop(); }
bool path_pop_if(fork_deque<int>& deque, const int* item) noexcept { return deque.pop_if(item); }

void path_fork(fork_lane& lane, runnable& child) noexcept { lane.fork(child); }
bool path_take_back(fork_lane& lane, runnable& child) noexcept { return lane.take_back(child); }
bool path_fork_call(fork_lane& lane, native_call& call) noexcept { return lane.fork_call(call); }
bool path_take_call_back(fork_lane& lane) noexcept { return lane.take_call_back(); }

std::uint64_t control_add(atomic<std::uint64_t>& word) noexcept { return word.fetch_add(2, relaxed); }
bool control_exchange(atomic<std::uint64_t>& word) noexcept { return word.exchange(1, relaxed) != 0; }
bool control_compare(atomic<std::uint64_t>& word) noexcept {
  std::uint64_t seen = 0;
  return word.compare_exchange_strong(seen, 1, relaxed, relaxed);
}
bool control_publish(fork_deque<int>& deque) noexcept { return deque.publish(4); }

}  // extern "C"
