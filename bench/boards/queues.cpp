// The bounded queue: between tasks, within one task, and as the pipeline of a small service.

#include "shared_runtime.hpp"

#include <atomic>

namespace {

using jobs = sluice::queue<long>;

sluice::task<> produce(jobs& queue, long first, long count) {
  for (long i = 1; i <= count; ++i) co_await queue.put(first + i);
}

sluice::task<> consume(jobs& queue, long count, std::atomic<std::int64_t>& sum) {
  std::int64_t mine = 0;
  for (long i = 0; i < count; ++i) mine += co_await queue.get();
  sum.fetch_add(mine, std::memory_order_relaxed);
}

sluice::task<> exchange(bench::queue_shape shape, long total, std::atomic<std::int64_t>& sum) {
  jobs queue(shape.capacity);
  auto spawn_all = [&](sluice::task_group& group) -> sluice::task<> {
    const long share = total / shape.producers;
    for (long p = 0; p < shape.producers; ++p) group.spawn(produce(queue, p * share, share));
    for (long c = 0; c < shape.consumers; ++c) group.spawn(consume(queue, total / shape.consumers, sum));
    co_return;
  };
  co_await sluice::with_group(spawn_all);
}

template <std::size_t Capacity, long Producers, long Consumers>
bench::reading queue_board(bench::effort e) {
  const long total = bench::scaled(e, bench::queue_total, 64);
  sluice::runtime& runtime = bench::shared_runtime();
  std::atomic<std::int64_t> sum{0};
  const bench::stopwatch watch;
  runtime.block_on(exchange({Capacity, Producers, Consumers}, total, sum));
  bench::reading r = watch.millions_per_s(total);
  bench::check_equal("the sum of the items", sum.load(), bench::sum_to(total));
  return r;
}

sluice::task<> answer(jobs& there, jobs& back, long total) {
  for (long i = 0; i < total; ++i) co_await back.put(co_await there.get() + 1);
}

sluice::task<std::int64_t> ask(jobs& there, jobs& back, long total) {
  std::int64_t sum = 0;
  for (long i = 0; i < total; ++i) {
    co_await there.put(long{i});
    sum += co_await back.get();
  }
  co_return sum;
}

sluice::task<std::int64_t> ask_and_answer(long total) {
  jobs there(1), back(1);
  auto both = co_await sluice::when_all(ask(there, back, total), answer(there, back, total));
  co_return std::get<0>(both);
}

bench::reading ping_pong(bench::effort e) {
  const long total = bench::scaled(e, bench::ping_pong_total);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  const std::int64_t sum = runtime.block_on(ask_and_answer(total));
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum of the answers", sum, bench::sum_to(total));
  return r;
}

sluice::task<std::int64_t> pairs_by_try(long total) {
  jobs queue(1024);
  std::int64_t sum = 0;
  for (long i = 1; i <= total; ++i) {
    if (!queue.try_put(long{i})) break;
    if (auto item = queue.try_get()) sum += *item;
  }
  co_return sum;
}

sluice::task<std::int64_t> pairs_by_await(long total) {
  jobs queue(1024);
  std::int64_t sum = 0;
  for (long i = 1; i <= total; ++i) {
    co_await queue.put(long{i});
    sum += co_await queue.get();
  }
  co_return sum;
}

template <sluice::task<std::int64_t> (*Pairs)(long)>
bench::reading pair_board(bench::effort e) {
  const long total = bench::scaled(e, bench::pair_total);
  sluice::runtime& runtime = bench::shared_runtime();
  const bench::stopwatch watch;
  const std::int64_t sum = runtime.block_on(Pairs(total));
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum of the items", sum, bench::sum_to(total));
  return r;
}

sluice::task<> work(jobs& queue, std::atomic<std::int64_t>& sum) {
  std::int64_t mine = 0;
  while (auto job = co_await queue.lease()) mine += **job;
  sum.fetch_add(mine, std::memory_order_relaxed);
}

/// A queue of 10, one producer, three workers that report each item done, and join.
sluice::task<> serve(long total, std::atomic<std::int64_t>& sum) {
  jobs queue(10);
  auto body = [&](sluice::task_group& group) -> sluice::task<> {
    for (int worker = 0; worker < 3; ++worker) group.spawn(work(queue, sum));
    co_await produce(queue, 0, total);
    co_await queue.join();
    queue.close();
  };
  co_await sluice::with_group(body);
}

bench::reading pipeline(bench::effort e) {
  const long total = bench::scaled(e, bench::pipeline_total);
  sluice::runtime& runtime = bench::shared_runtime();
  std::atomic<std::int64_t> sum{0};
  const bench::stopwatch watch;
  runtime.block_on(serve(total, sum));
  bench::reading r = watch.millions_per_s(total);
  bench::check_equal("the sum of the items", sum.load(), bench::sum_to(total));
  return r;
}

const bool queues_listed =
    bench::add("sluice", "ping_pong", ping_pong) && bench::add("sluice", "queue.1024.1p1c", queue_board<1024, 1, 1>) &&
    bench::add("sluice", "queue.1024.4p1c", queue_board<1024, 4, 1>) &&
    bench::add("sluice", "queue.1024.4p4c", queue_board<1024, 4, 4>) &&
    bench::add("sluice", "queue.1024.64p64c", queue_board<1024, 64, 64>) &&
    bench::add("sluice", "queue.16.1p1c", queue_board<16, 1, 1>) &&
    bench::add("sluice", "queue.16.4p1c", queue_board<16, 4, 1>) &&
    bench::add("sluice", "queue.16.4p4c", queue_board<16, 4, 4>) &&
    bench::add("sluice", "queue.16.64p64c", queue_board<16, 64, 64>) &&
    bench::add("sluice", "queue.1.1p1c", queue_board<1, 1, 1>) &&
    bench::add("sluice", "queue.1.4p1c", queue_board<1, 4, 1>) &&
    bench::add("sluice", "queue.1.4p4c", queue_board<1, 4, 4>) &&
    bench::add("sluice", "queue.1.64p64c", queue_board<1, 64, 64>) &&
    bench::add("sluice", "queue.pair.try", pair_board<pairs_by_try>) &&
    bench::add("sluice", "queue.pair.await", pair_board<pairs_by_await>) && bench::add("sluice", "pipeline", pipeline);

}  // namespace
