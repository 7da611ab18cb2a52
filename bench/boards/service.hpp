#pragma once
// The work of a small service: many tasks that pass items through a bounded queue and compute a little for each.

#include "shared_runtime.hpp"

#include <atomic>
#include <cstdint>

namespace bench {

inline constexpr long service_tasks = 32;  // that put, and as many that get
inline constexpr long service_capacity = 64;
inline constexpr long service_granule = service_tasks * 16;  // every task has the same share, with whole turns
inline constexpr long service_kinds = 4096;                  // of items: so the answer is soon known

/// A little computing: some tens of nanoseconds, each step of which needs the one before.
inline std::int64_t handle(long item) {
  auto x = static_cast<std::uint64_t>(item % service_kinds);
  for (int round = 0; round < 16; ++round) x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
  return static_cast<std::int64_t>(x >> 40);  // so small that no sum of them overflows
}

/// What serve(total) must return.
inline std::int64_t service_answer(long total) {
  std::int64_t of_all_kinds = 0, of_the_rest = 0;
  for (long i = 1; i <= service_kinds; ++i) of_all_kinds += handle(i);
  for (long i = 1; i <= total % service_kinds; ++i) of_the_rest += handle(i);
  return total / service_kinds * of_all_kinds + of_the_rest;
}

inline sluice::task<> put_items(sluice::queue<long>& queue, long first, long count) {
  for (long i = 1; i <= count; ++i) co_await queue.put(first + i);
}

/// Gives way after every 16 items.
inline sluice::task<> handle_items(sluice::queue<long>& queue, long count, std::atomic<std::int64_t>& sum) {
  std::int64_t mine = 0;
  for (long i = 1; i <= count; ++i) {
    mine += handle(co_await queue.get());
    if (i % 16 == 0) co_await sluice::yield();
  }
  sum.fetch_add(mine, std::memory_order_relaxed);
}

/// Passes the items 1 to `total`, a multiple of service_granule, and returns the sum of what handle() made of them.
inline sluice::task<std::int64_t> serve(long total) {
  sluice::queue<long> queue(service_capacity);
  std::atomic<std::int64_t> sum{0};
  const long share = total / service_tasks;
  auto spawn_all = [&](sluice::task_group& group) -> sluice::task<> {
    for (long i = 0; i < service_tasks; ++i) {
      group.spawn(put_items(queue, i * share, share));
      group.spawn(handle_items(queue, share, sum));
    }
    co_return;
  };
  co_await sluice::with_group(spawn_all);
  co_return sum.load();
}

}  // namespace bench
