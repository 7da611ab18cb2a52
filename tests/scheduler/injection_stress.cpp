// The injection queue on real threads: more plain producers than it lends tokens, several consumers; each item comes out once.
// stresses: scheduler/inbox.hpp

#include <sluice/scheduler/inbox.hpp>
#include <sluice/scheduler/injection.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sluice::impl {
namespace {

struct item : runnable {
  int payload = 0;  // written by the producer, read by the consumer: thread sanitizer sees whether they are ordered
  std::atomic<int> taken = 0;
};

TEST(InjectionStress, EachItemComesOutOnce) {
  constexpr std::size_t producers = 12;
  constexpr std::size_t each = 5000;
  injection q(1);
  inbox box;
  std::vector<item> items(producers * each);
  std::atomic<std::size_t> left = items.size();
  auto take_one = [&left](runnable* r) {
    auto* const it = static_cast<item*>(r);
    it->taken.fetch_add(it->payload);
    left.fetch_sub(1);
  };
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      for (std::size_t i = 0; i < each; ++i) {
        item& it = items[p * each + i];
        it.payload = 1;
        runnable* const one = &it;
        if (!q.put(injection_queue::any_thread, &one, 1)) box.put(it);
      }
    });
  }
  for (int c = 0; c < 3; ++c) {
    threads.emplace_back([&] {
      while (left.load() != 0) {
        runnable* out[16];
        const std::size_t n = q.take(out, 16);
        for (std::size_t i = 0; i < n; ++i) take_one(out[i]);
        for (runnable* r = box.take_all(); r != nullptr;) {
          runnable* const next = r->next;
          take_one(r);
          r = next;
        }
        if (n == 0) yield_thread();
      }
    });
  }
  for (auto& t : threads) t.join();
  for (const item& it : items) ASSERT_EQ(it.taken.load(), 1);
}

}  // namespace
}  // namespace sluice::impl
