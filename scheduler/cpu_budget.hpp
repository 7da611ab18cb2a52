#pragma once
// How many processors this process may really use: the affinity mask, cut down by the cgroup's quota.

#include <cstddef>
#include <string>

namespace sluice::impl {

/// min(affinity mask, cgroup quota over the whole path rounded up), at least 1. Reads /proc and /sys: not cheap.
std::size_t cpu_budget();

/// The same figure from the files under `root` ("" in production, a test's folder otherwise) for `affinity` processors.
std::size_t cpu_budget_from(const std::string& root, std::size_t affinity);

}  // namespace sluice::impl
