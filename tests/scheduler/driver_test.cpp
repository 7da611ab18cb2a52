// Threads of workers that are bound to processors.
// tests: scheduler/binding.hpp

#include "job.hpp"

#include <sluice/scheduler/cpu_budget.hpp>
#include <sluice/scheduler/driver.hpp>
#include <sluice/scheduler/topology.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sched.h>
#include <system_error>
#include <vector>

namespace sluice::test {
namespace {

using testing::ElementsAre;
using numbers = std::vector<unsigned>;

impl::scheduler_options pinned(std::size_t workers) {
  return {.workers = workers, .name = "pinned", .simulation = {}, .pin_workers = true};
}

// Keeps its worker until so many others do the same, so that each worker has one of them, and tells where it may run.
job tell_processors(scheduler&, countdown&, std::atomic<std::size_t>& missing, std::vector<numbers>& of_workers) {
  of_workers[impl::fork_lane::current()->index()] = impl::allowed_processors();
  missing.fetch_sub(1);
  while (missing.load() != 0) impl::yield_thread();
  co_return;
}

std::vector<numbers> processors_of_workers(scheduler& s) {
  const std::size_t workers = s.worker_count();
  std::vector<numbers> of_workers(workers);
  std::atomic<std::size_t> missing = workers;
  countdown all(s, workers);
  for (std::size_t i = 0; i < workers; ++i) s.submit(*tell_processors(s, all, missing, of_workers));
  all.wait();
  return of_workers;
}

TEST(Driver, BindsEachWorkerToItsProcessorInThePinningOrderAndInTurn) {
  const numbers order = impl::this_topology().pinning_order();
  for (const std::size_t workers : {std::size_t{1}, order.size(), 2 * order.size() + 1}) {
    scheduler s(pinned(workers));
    const auto of_workers = processors_of_workers(s);
    for (std::size_t i = 0; i < workers; ++i) EXPECT_THAT(of_workers[i], ElementsAre(order[i % order.size()])) << i;
  }
}

TEST(Driver, BindsToThoseProcessorsOnlyThatTheMakerMayUse) {
  const numbers allowed = impl::allowed_processors();
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(allowed.back(), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    scheduler s(pinned(2));
    EXPECT_THAT(processors_of_workers(s), ElementsAre(ElementsAre(allowed.back()), ElementsAre(allowed.back())));
  }).join();
}

TEST(Driver, BindsNobodyUnlessAskedTo) {
  scheduler s({.workers = 2, .name = "free", .simulation = {}});
  const numbers allowed = impl::allowed_processors();
  EXPECT_THAT(processors_of_workers(s), ElementsAre(allowed, allowed));
}

TEST(Driver, BindsNobodyInASimulation) {
  const numbers before = impl::allowed_processors();
  auto options = pinned(3);
  options.simulation = 1;
  scheduler s(options);
  std::vector<numbers> of_workers(3);
  std::atomic<std::size_t> missing = 1;
  countdown all(s, 1);
  s.submit(*tell_processors(s, all, missing, of_workers));
  all.wait();
  EXPECT_EQ(of_workers[0].size() + of_workers[1].size() + of_workers[2].size(), before.size());
}

TEST(Driver, AProcessorThatThereIsNotIsASystemErrorAndTheThreadsHaveEnded) {
  scheduler owner({.workers = 1, .name = "owner", .simulation = 1});
  impl::worker_pool pool(owner, "bound", 3, false, 0);
  const unsigned here = impl::allowed_processors().front();
  try {
    const impl::threads_driver driver(pool, {here, impl::most_processors - 1});
    FAIL() << "it was bound to a processor that there is not";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::invalid_argument);
    EXPECT_THAT(error.what(), testing::HasSubstr("worker bound/1 could not be bound to processor 1048575"));
  }
  EXPECT_EQ(pool.stopping.load(impl::relaxed), 1u);
}

}  // namespace
}  // namespace sluice::test
