#pragma once
// Which processors the calling thread may use, and how many of them really: the affinity mask, cut down by the cgroup's quota.

#include <sluice/scheduler/topology.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace sluice::impl {

/// The numbers of the processors in the affinity mask of the calling thread, which threads that it starts inherit: rising, and at
/// least one. Where the mask cannot be read, as many as the machine has, from 0. Throws std::bad_alloc.
std::vector<unsigned> allowed_processors();

/// The topology of the processors that the calling thread may use. Reads a few files for each core: not cheap. Throws std::bad_alloc.
topology this_topology();

/// min(affinity mask, cgroup quota over the whole path rounded up), at least 1. Reads /proc and /sys: not cheap.
std::size_t cpu_budget();

/// The same figure from the files under `root` ("" in production, a test's folder otherwise) for `affinity` processors.
std::size_t cpu_budget_from(const std::string& root, std::size_t affinity);

}  // namespace sluice::impl
