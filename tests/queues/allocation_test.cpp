// tests: queues/queue.hpp queues/semaphore.hpp queues/event.hpp queues/broadcast.hpp queues/watch.hpp
// Nothing is allocated by an operation: counted, through puts, gets and waits of every form. Where something is, it may fail.
#include <sluice/queues/broadcast.hpp>
#include <sluice/queues/event.hpp>
#include <sluice/queues/lifo_queue.hpp>
#include <sluice/queues/local_queue.hpp>
#include <sluice/queues/queue.hpp>
#include <sluice/queues/semaphore.hpp>
#include <sluice/queues/spsc_queue.hpp>
#include <sluice/queues/watch.hpp>
#include <sluice/queues/weighted_queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_OF_THE_SANITIZER  // which lets nobody replace operator new
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_IS_OF_THE_SANITIZER
#endif
#endif

namespace {
thread_local long allocations = 0;
thread_local bool memory_is_out = false;
}  // namespace

#ifndef MEMORY_IS_OF_THE_SANITIZER
// Not inlined: g++ 12 takes one of a pair that it has inlined, and one that it has not, for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (memory_is_out) throw std::bad_alloc();
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace sluice {
namespace {

using test::coroutine;
using test::executor;

constexpr int items = 10000;

template <class Queue>
coroutine put_items(executor&, Queue& q) {
  for (int i = 0; i < items; ++i) co_await q.put(int{i});
  std::array<int, 7> some{};
  for (int i = 0; i < items / 7; ++i) co_await q.put_many(some);
  if (q.capacity() != 0) {
    for (int i = 0; i < items; ++i) {
      auto slot = co_await q.reserve();
      slot.put(int{i});
    }
  }
  co_await q.join();
  q.close();
}
template <class Queue>
coroutine get_items(executor&, Queue& q, long& got) {
  for (int i = 0; i < items / 2; ++i) {
    if (q.capacity() != 0 && i % 16 == 0) (void)co_await q.peek();
    if (!co_await q.next()) co_return;
    ++got;
    q.task_done();
  }
  for (int i = 0; i < items / 4; ++i) {
    const auto leased_item = co_await q.lease();
    got += leased_item ? 1 : 0;
  }
  std::array<int, 5> out{};
  while (const std::size_t count = co_await q.get_many(out)) {
    got += static_cast<long>(count);
    q.task_done(count);
  }
}
coroutine take_turns(executor&, semaphore& permits, event& go) {
  co_await go.wait();
  for (int i = 0; i < items; ++i) {
    const permit held = co_await permits.acquire();
    (void)permits.try_acquire();
  }
}

coroutine see_items(executor&, subscription<int>& from, long& seen) {
  while (const auto item = co_await from.next()) {
    const auto another = co_await from.borrow();
    seen += item.has_value() + another.has_value();
  }
}
coroutine see_values(executor&, watcher<int>& from, long& seen) {
  while (const bool changed = co_await from.changed()) {
    seen += changed && from.try_borrow().has_value();
  }
}

// One getter more than putters, where there may be.
template <class Queue>
void count_allocations(std::size_t capacity, int getters) {
  executor e;
  Queue q{capacity};
  long got = 0;
  put_items(e, q);
  for (int i = 0; i < getters; ++i) get_items(e, q, got);
  const long before = allocations;
  e.run();
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(e.live, 0U);
  EXPECT_EQ(got, 2 * items + items / 7 * 7);
}

TEST(allocation, no_operation_of_a_queue_allocates) {
#ifdef MEMORY_IS_OF_THE_SANITIZER
  GTEST_SKIP() << "the sanitizer has operator new for itself";
#endif
  for (std::size_t capacity : {1U, 3U, 64U}) {
    count_allocations<queue<int>>(capacity, 2);
    count_allocations<lifo_queue<int>>(capacity, 2);
    count_allocations<spsc_queue<int>>(capacity, 1);
    count_allocations<local_queue<int>>(capacity, 2);
  }
}

TEST(allocation, a_full_queue_that_drops_and_one_that_weighs_allocate_nothing) {
#ifdef MEMORY_IS_OF_THE_SANITIZER
  GTEST_SKIP() << "the sanitizer has operator new for itself";
#endif
  long dropped = 0;
  queue<int> q{4, {overflow_policy::drop_oldest, [&](int&&) { ++dropped; }}};
  weighted_queue<int> weighs{100, [](const int& item) { return static_cast<std::size_t>(item); }};
  const long before = allocations;
  for (int i = 0; i < items; ++i) {
    EXPECT_TRUE(q.try_put(int{i}));
    EXPECT_TRUE(weighs.try_put(i % 100));
    EXPECT_EQ(weighs.try_get(), i % 100);
  }
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(dropped, items - 4);
}

TEST(allocation, a_rendezvous_and_an_unbounded_queue_that_has_grown_allocate_nothing) {
#ifdef MEMORY_IS_OF_THE_SANITIZER
  GTEST_SKIP() << "the sanitizer has operator new for itself";
#endif
  executor e;
  queue<int> meeting{rendezvous};
  long got = 0;
  put_items(e, meeting);
  get_items(e, meeting, got);
  const long before = allocations;
  e.run();
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(e.live, 0U);
  queue<int> q{unbounded};
  for (int lap = 0; lap < 2; ++lap) {
    const long in_this_lap = allocations;
    for (int i = 0; i < items; ++i) EXPECT_TRUE(q.try_put(int{i}));
    for (int i = 0; i < items; ++i) EXPECT_EQ(q.try_get(), i);
    EXPECT_EQ(allocations - in_this_lap == 0, lap == 1) << "it grows in the first lap only";
  }
}

TEST(allocation, semaphores_and_events_allocate_nothing) {
#ifdef MEMORY_IS_OF_THE_SANITIZER
  GTEST_SKIP() << "the sanitizer has operator new for itself";
#endif
  executor e;
  semaphore permits{2};
  event go;
  for (int i = 0; i < 5; ++i) take_turns(e, permits, go);
  const long before = allocations;
  go.set();
  e.run();
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(e.live, 0U);
}

TEST(allocation, a_broadcast_and_a_watch_allocate_nothing) {
#ifdef MEMORY_IS_OF_THE_SANITIZER
  GTEST_SKIP() << "the sanitizer has operator new for itself";
#endif
  executor e;
  broadcast<int> numbers{4};
  watch<int> value{0};
  auto one = numbers.subscribe();
  auto two = numbers.subscribe();
  auto mine = value.watcher();
  long seen = 0;
  long changes = 0;
  see_items(e, one, seen);
  see_items(e, two, seen);
  see_values(e, mine, changes);
  const long before = allocations;
  for (int i = 1; i <= items; ++i) {
    numbers.send(int{i});
    value.set(value.get() + 1);
    value.modify([](int& n) { ++n; });
    e.run();
  }
  EXPECT_EQ(allocations - before, 0);
  numbers.close();
  value.close();
  e.run();
  EXPECT_EQ(e.live, 0U);
  EXPECT_EQ(seen, 2 * items);
  EXPECT_EQ(changes, items);
  EXPECT_EQ(value.get(), 2 * items);
}

TEST(allocation, a_send_that_finds_no_memory_has_done_nothing) {
#ifdef MEMORY_IS_OF_THE_SANITIZER
  GTEST_SKIP() << "the sanitizer has operator new for itself";
#endif
  broadcast<std::unique_ptr<int>> pointers{1};
  std::vector<snapshot<std::unique_ptr<int>>> held;
  held.reserve(100);
  const auto send_and_hold = [&](std::unique_ptr<int>& value) {
    pointers.send(std::move(value));
    held.push_back(*pointers.subscribe(from_kept).try_borrow());
  };
  std::uint64_t sent = 0;
  for (int failures = 0; failures < 3;) {
    auto value = std::make_unique<int>(7);
    memory_is_out = true;
    bool failed = false;
    try {
      send_and_hold(value);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    memory_is_out = false;
    if (failed) {
      ++failures;
      ASSERT_TRUE(value) << "it is still the caller's";
      EXPECT_EQ(pointers.sent(), sent);
      send_and_hold(value);
    }
    EXPECT_EQ(pointers.sent(), ++sent);
  }
  EXPECT_GT(sent, 8U);
}

}  // namespace
}  // namespace sluice
