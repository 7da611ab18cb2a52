#pragma once
// The queue boards for queues that block threads: one thread per producer and consumer. `Queue` has put(long),
// get() -> long, and a constructor from a capacity.

#include "sizes.hpp"

#include <atomic>
#include <thread>

namespace bench {

/// Items at full effort: a blocking queue that sleeps and wakes threads for each item is up to a thousand times slower
/// than one that does not, so small capacities get fewer.
inline long thread_items(std::size_t capacity) {
  return capacity >= 1024 ? 500'000 : capacity >= 16 ? 200'000 : 40'000;
}

template <class Queue>
reading thread_queue(effort e, queue_shape shape) {
  const long total = scaled(e, thread_items(shape.capacity), 64);
  const long per_producer = total / shape.producers, per_consumer = total / shape.consumers;
  Queue queue(shape.capacity);
  std::atomic<std::int64_t> sum{0};
  std::vector<std::thread> threads;
  const stopwatch watch;
  for (long p = 0; p < shape.producers; ++p)
    threads.emplace_back([&queue, p, per_producer] {
      for (long i = 1; i <= per_producer; ++i) queue.put(p * per_producer + i);
    });
  for (long c = 0; c < shape.consumers; ++c)
    threads.emplace_back([&queue, &sum, per_consumer] {
      std::int64_t mine = 0;
      for (long i = 0; i < per_consumer; ++i) mine += queue.get();
      sum.fetch_add(mine, std::memory_order_relaxed);
    });
  for (std::thread& t : threads) t.join();
  reading r = watch.millions_per_s(total);
  check_equal("the sum of the items", sum.load(), sum_to(total));
  return r;
}

template <class Queue, std::size_t Capacity, long Producers, long Consumers>
reading thread_queue_board(effort e) {
  return thread_queue<Queue>(e, {Capacity, Producers, Consumers});
}

template <class Queue>
bool add_thread_queues(const char* peer) {
  add(peer, "queue.1024.1p1c", thread_queue_board<Queue, 1024, 1, 1>);
  add(peer, "queue.1024.4p1c", thread_queue_board<Queue, 1024, 4, 1>);
  add(peer, "queue.1024.4p4c", thread_queue_board<Queue, 1024, 4, 4>);
  add(peer, "queue.1024.64p64c", thread_queue_board<Queue, 1024, 64, 64>);
  add(peer, "queue.16.1p1c", thread_queue_board<Queue, 16, 1, 1>);
  add(peer, "queue.16.4p1c", thread_queue_board<Queue, 16, 4, 1>);
  add(peer, "queue.16.4p4c", thread_queue_board<Queue, 16, 4, 4>);
  add(peer, "queue.16.64p64c", thread_queue_board<Queue, 16, 64, 64>);
  add(peer, "queue.1.1p1c", thread_queue_board<Queue, 1, 1, 1>);
  add(peer, "queue.1.4p1c", thread_queue_board<Queue, 1, 4, 1>);
  add(peer, "queue.1.4p4c", thread_queue_board<Queue, 1, 4, 4>);
  return add(peer, "queue.1.64p64c", thread_queue_board<Queue, 1, 64, 64>);
}

template <class Queue>
reading thread_ping_pong(effort e) {
  const long total = scaled(e, ping_pong_total / 20);
  Queue there(1), back(1);
  std::int64_t sum = 0;
  const stopwatch watch;
  std::thread other([&] {
    for (long i = 0; i < total; ++i) back.put(there.get() + 1);
  });
  for (long i = 0; i < total; ++i) {
    there.put(i);
    sum += back.get();
  }
  other.join();
  reading r = watch.ns_per_item(total);
  check_equal("the sum of the answers", sum, sum_to(total));
  return r;
}

/// A bounded queue of 10, one producer, three consumers, each item reported done, and the producer waits for all.
template <class Queue, class Counter>
reading thread_pipeline(effort e) {
  const long total = scaled(e, pipeline_total / 10);
  Queue jobs(10);
  Counter unfinished;
  std::atomic<std::int64_t> sum{0};
  const stopwatch watch;
  std::vector<std::thread> consumers;
  for (int c = 0; c < 3; ++c)
    consumers.emplace_back([&] {
      std::int64_t mine = 0;
      while (const long item = jobs.get()) {
        mine += item;
        unfinished.done();
      }
      sum.fetch_add(mine, std::memory_order_relaxed);
    });
  for (long i = 1; i <= total; ++i) {
    unfinished.begun();
    jobs.put(i);
  }
  unfinished.wait();
  for (int c = 0; c < 3; ++c) jobs.put(0);
  for (std::thread& t : consumers) t.join();
  reading r = watch.millions_per_s(total);
  check_equal("the sum of the items", sum.load(), sum_to(total));
  return r;
}

/// A plain thread puts once a millisecond; how long until a thread that waits in get() has it.
template <class Queue>
reading thread_wake(effort e) {
  using clock = std::chrono::steady_clock;
  const long total = scaled(e, wake_total);
  Queue queue(16);
  std::vector<double> late;
  const stopwatch watch;
  std::thread getter([&] {
    for (long i = 0; i < total; ++i) {
      const long sent = queue.get();
      late.push_back(static_cast<double>(clock::now().time_since_epoch().count() - sent) * 1e-3);
    }
  });
  for (long i = 0; i < total; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    queue.put(static_cast<long>(clock::now().time_since_epoch().count()));
  }
  getter.join();
  return wake_reading(watch.ns_per_item(total), late, total);
}

}  // namespace bench
