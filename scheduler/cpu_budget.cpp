#include <sluice/scheduler/cpu_budget.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <sched.h>
#include <sstream>
#include <thread>

namespace sluice::impl {
namespace {

constexpr double no_quota = std::numeric_limits<double>::infinity();

// "max 100000" or "150000 100000": processors granted by a cgroup v2 cpu.max.
double quota_v2(const std::string& folder) {
  std::ifstream in(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(in >> quota >> period) || quota == "max" || period <= 0) return no_quota;
  char* end = nullptr;
  const double granted = std::strtod(quota.c_str(), &end);
  return end != quota.c_str() && granted > 0 ? granted / period : no_quota;
}

double quota_v1(const std::string& folder) {
  double quota = -1;
  double period = 0;
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return no_quota;
  return quota / period;
}

// The smallest quota of the group and of all the groups that hold it.
template <class Read>
double over_path(const std::string& mount, std::string path, Read read) {
  double least = read(mount);
  while (path.size() > 1) {
    least = std::min(least, read(mount + path));
    path.resize(path.find_last_of('/'));
  }
  return least;
}

// The path of this process in the hierarchy with `controller` ("" is v2), from lines such as "4:cpu,cpuacct:/a/b".
bool group_path(const std::string& root, const std::string& controller, std::string& path) {
  std::ifstream in(root + "/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::istringstream names(line.substr(first + 1, second - first - 1));
    std::string name;
    bool found = controller.empty() && second == first + 1;
    while (!found && std::getline(names, name, ',')) found = !controller.empty() && name == controller;
    if (!found) continue;
    path = line.substr(second + 1);
    return !path.empty() && path.front() == '/';
  }
  return false;
}

double quota_of(const std::string& root) {
  double least = no_quota;
  std::string path;
  if (group_path(root, "", path)) {
    least = std::min(least, over_path(root + "/sys/fs/cgroup", path, quota_v2));
    least = std::min(least, over_path(root + "/sys/fs/cgroup/unified", path, quota_v2));
  }
  if (group_path(root, "cpu", path)) {
    least = std::min(least, over_path(root + "/sys/fs/cgroup/cpu", path, quota_v1));
    least = std::min(least, over_path(root + "/sys/fs/cgroup/cpu,cpuacct", path, quota_v1));
  }
  return least;
}

}  // namespace

std::vector<unsigned> allowed_processors() {
  std::vector<unsigned> allowed;
  // The mask of a machine with more than CPU_SETSIZE processors does not fit: then ask again with more room.
  for (unsigned room = CPU_SETSIZE; allowed.empty() && room <= most_processors; room *= 2) {
    cpu_set_t* const set = CPU_ALLOC(room);
    if (set == nullptr) throw std::bad_alloc();
    const std::unique_ptr<cpu_set_t, decltype([](cpu_set_t* s) { CPU_FREE(s); })> owner(set);
    const std::size_t bytes = CPU_ALLOC_SIZE(room);
    if (sched_getaffinity(0, bytes, set) != 0) continue;
    for (unsigned number = 0; number < room; ++number) {
      if (CPU_ISSET_S(number, bytes, set)) allowed.push_back(number);
    }
  }
  if (allowed.empty()) {
    allowed.resize(std::max(1u, std::thread::hardware_concurrency()));
    std::iota(allowed.begin(), allowed.end(), 0u);
  }
  return allowed;
}

topology this_topology() { return topology_from("", allowed_processors()); }

std::size_t cpu_budget_from(const std::string& root, std::size_t processors) {
  const double quota = std::ceil(quota_of(root) - 1e-9);
  const auto allowed = static_cast<double>(processors);
  return std::max<std::size_t>(1, quota < allowed ? static_cast<std::size_t>(std::max(quota, 1.0)) : processors);
}

std::size_t cpu_budget() { return cpu_budget_from("", allowed_processors().size()); }

}  // namespace sluice::impl
