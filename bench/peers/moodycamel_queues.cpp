// The queue boards on moodycamel's ConcurrentQueue. It has no bounded form, so the bounded one here is what one builds
// by hand: its blocking queue, and its own semaphore for the free places.

#include "../thread_boards.hpp"

#include <blockingconcurrentqueue.h>
#include <lightweightsemaphore.h>

namespace {

class bounded {
 public:
  explicit bounded(std::size_t capacity) : free_(static_cast<std::ptrdiff_t>(capacity)), queue_(capacity) {}
  void put(long item) {
    while (!free_.wait()) {
    }
    if (!queue_.enqueue(item)) throw std::bad_alloc();
  }
  long get() {
    long item = 0;
    queue_.wait_dequeue(item);
    free_.signal();
    return item;
  }

 private:
  moodycamel::LightweightSemaphore free_;
  moodycamel::BlockingConcurrentQueue<long> queue_;
};

/// The unbounded queue alone, with tokens: what its authors recommend for speed.
bench::reading pair(bench::effort e) {
  const long total = bench::scaled(e, bench::pair_total);
  moodycamel::ConcurrentQueue<long> queue(1024);
  moodycamel::ProducerToken put(queue);
  moodycamel::ConsumerToken get(queue);
  std::int64_t sum = 0;
  const bench::stopwatch watch;
  for (long i = 1; i <= total; ++i) {
    long item = 0;
    if (queue.enqueue(put, i) && queue.try_dequeue(get, item)) sum += item;
  }
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the sum of the items", sum, bench::sum_to(total));
  return r;
}

const bool queues_listed = bench::add_thread_queues<bounded>("moodycamel");
const bool ping_pong_listed = bench::add("moodycamel", "ping_pong", bench::thread_ping_pong<bounded>);
const bool pair_listed = bench::add("moodycamel", "queue.pair.try", pair);
const bool wake_listed = bench::add("moodycamel", "wake.blocking", bench::thread_wake<bounded>, false);

}  // namespace
