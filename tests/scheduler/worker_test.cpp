// tests: scheduler/worker.hpp
// Whom a worker steals from, without threads: a pool whose workers stand on made-up processors.
#include <sluice/scheduler/worker.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <new>
#include <vector>

namespace sluice::impl {
namespace {

// A pool knows its scheduler, but never looks at it.
scheduler& nobody() {
  alignas(scheduler) static std::byte nothing[sizeof(scheduler)];
  return *std::launder(reinterpret_cast<scheduler*>(nothing));
}

unsigned here = 0;  // the processor of whoever asks

/// Two nodes; two caches on the first; two cores of two processors under the first cache.
topology made_up() {
  std::vector<processor> all;
  for (unsigned i = 0; i < 8; ++i) all.push_back({i, i / 2, i < 4 ? 0u : i < 6 ? 1u : 2u, i < 6 ? 0u : 1u});
  return topology(std::move(all));
}

TEST(worker, steals_from_the_nearest_worker_that_has_something) {
  worker_pool pool(nobody(), "test", 5, false, 1);
  pool.map = made_up();
  pool.current_processor = +[]() noexcept { return here; };
  const unsigned stands_on[] = {0, 6, 4, 2, 1};  // far, same node, same cache, same core
  for (std::size_t i = 0; i < 5; ++i) {
    here = stands_on[i];
    worker::set_current(pool.workers[i].get());
    EXPECT_EQ(pool.workers[i]->search(), nullptr);  // says where it stands
  }
  std::vector<runnable> tasks(5);
  for (std::size_t i = 1; i < 5; ++i) pool.workers[i]->submit(tasks[i]);
  here = 0;
  worker::set_current(pool.workers[0].get());
  for (const std::size_t nearest : {4u, 3u, 2u, 1u}) EXPECT_EQ(pool.workers[0]->search(), &tasks[nearest]);
  EXPECT_EQ(pool.workers[0]->search(), nullptr);
  worker::set_current(nullptr);
}

TEST(worker, steals_from_all_where_none_is_nearer) {
  worker_pool pool(nobody(), "test", 3, false, 1);
  std::vector<runnable> tasks(3);
  for (std::size_t i = 1; i < 3; ++i) pool.workers[i]->submit(tasks[i]);
  worker::set_current(pool.workers[0].get());
  runnable* const first = pool.workers[0]->search();
  runnable* const second = pool.workers[0]->search();
  EXPECT_TRUE((first == &tasks[1] && second == &tasks[2]) || (first == &tasks[2] && second == &tasks[1]));
  EXPECT_EQ(pool.workers[0]->search(), nullptr);
  worker::set_current(nullptr);
}

}  // namespace
}  // namespace sluice::impl
