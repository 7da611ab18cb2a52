#include <sluice/scheduler/topology.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <compare>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unordered_map>
#include <utility>

namespace sluice::impl {
namespace {

using number_list = std::vector<unsigned>;

/// A list of processors such as "0-3,8,10-11". What is no such list is empty.
number_list parse_list(const std::string& text) {
  number_list numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end && std::isdigit(static_cast<unsigned char>(*at)) != 0) {
    unsigned first = 0;
    auto read = std::from_chars(at, end, first);
    unsigned last = first;
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-') read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc() || last < first || last >= most_processors) return {};
    for (unsigned number = first; number <= last; ++number) numbers.push_back(number);
    at = read.ptr;
    if (at != end && *at == ',') ++at;
  }
  return at == end ? numbers : number_list{};
}

/// The first line of a file, or "".
std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// The last number of `name` when the rest of it is `prefix`: 12 for "node12".
bool numbered(const std::string& name, const std::string& prefix, unsigned& number) {
  if (!name.starts_with(prefix)) return false;
  const char* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + prefix.size(), end, number);
  return read.ec == std::errc() && read.ptr == end;
}

/// Calls f(number, path) for each "<prefix><number>" in a folder, in any order; for none if there is no such folder.
template <class F>
void for_each_numbered(const std::string& folder, const std::string& prefix, F f) {
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    unsigned number = 0;
    if (numbered(at->path().filename().string(), prefix, number)) f(number, at->path().string());
  }
}

number_list siblings_of(const std::string& processor) {
  number_list siblings = parse_list(first_line(processor + "/topology/core_cpus_list"));
  if (siblings.empty()) siblings = parse_list(first_line(processor + "/topology/thread_siblings_list"));
  return siblings;
}

/// Who shares the cache of the highest level, which instructions alone do not count as.
number_list sharers_of_last_cache(const std::string& processor) {
  unsigned highest = 0;
  std::string best;
  for_each_numbered(processor + "/cache", "index", [&](unsigned, const std::string& cache) {
    unsigned level = 0;
    if (!numbered(first_line(cache + "/level"), "", level) || level <= highest) return;
    if (first_line(cache + "/type") == "Instruction") return;
    highest = level;
    best = cache;
  });
  return best.empty() ? number_list{} : parse_list(first_line(best + "/shared_cpu_list"));
}

using group_map = std::unordered_map<unsigned, unsigned>;  // a processor's number -> some name of its group

/// Groups processors by what `read` says of one of them: the numbers of its whole group. So a file is read for each group, not for
/// each processor. Of whom nothing can be read is in no group.
template <class Read>
group_map group_by(const std::string& root, const number_list& numbers, Read read) {
  group_map groups;
  for (const unsigned number : numbers) {
    if (groups.contains(number)) continue;
    const number_list members = read(root + "/sys/devices/system/cpu/cpu" + std::to_string(number));
    if (std::find(members.begin(), members.end(), number) == members.end()) continue;
    for (const unsigned member : members) groups.try_emplace(member, number);
  }
  return groups;
}

group_map group_by_node(const std::string& root) {
  group_map groups;
  for_each_numbered(root + "/sys/devices/system/node", "node", [&](unsigned node, const std::string& path) {
    for (const unsigned number : parse_list(first_line(path + "/cpulist"))) groups.try_emplace(number, node);
  });
  return groups;
}

/// Gives names numbers from 0, in the order in which they come.
class numbering {
 public:
  unsigned operator()(unsigned name) {
    return known_.try_emplace(name, static_cast<unsigned>(known_.size())).first->second;
  }

 private:
  std::unordered_map<unsigned, unsigned> known_;
};

/// The name of a processor's group, or `otherwise`, which is the name of no other group.
unsigned name_of(const group_map& groups, unsigned number, unsigned otherwise) {
  const auto found = groups.find(number);
  return found != groups.end() ? found->second : otherwise;
}

}  // namespace

topology::topology(std::vector<processor> processors) : processors_(std::move(processors)) {
  places_.resize(processors_.back().number + std::size_t{1});
  for (std::size_t i = 0; i < processors_.size(); ++i) {
    const processor& p = processors_[i];
    places_[p.number] = static_cast<std::uint32_t>(i + 1);
    cores_ = std::max(cores_, p.core + 1);
    caches_ = std::max(caches_, p.cache + 1);
    nodes_ = std::max(nodes_, p.node + 1);
  }
}

const processor* topology::find(unsigned number) const noexcept {
  if (number >= places_.size() || places_[number] == 0) return nullptr;
  return &processors_[places_[number] - 1];
}

unsigned topology::distance(unsigned a, unsigned b) const noexcept {
  const processor* const first = find(a);
  const processor* const second = find(b);
  if (first == nullptr || second == nullptr) return far;
  if (first->core == second->core) return 0;
  if (first->cache == second->cache) return 1;
  return first->node == second->node ? 2 : far;
}

std::vector<unsigned> topology::pinning_order() const {
  struct place {
    unsigned cache_node;  // that of the cache's first processor: a cache may serve two nodes
    unsigned cache;
    unsigned thread;  // how many processors of its core come before it
    unsigned node;
    unsigned number;
    auto operator<=>(const place&) const = default;
  };
  constexpr unsigned unseen = ~0u;
  std::vector<unsigned> cache_nodes(caches_, unseen);
  std::vector<unsigned> threads(cores_, 0);
  std::vector<place> places;
  for (const processor& p : processors_) {
    if (cache_nodes[p.cache] == unseen) cache_nodes[p.cache] = p.node;
    places.push_back({cache_nodes[p.cache], p.cache, threads[p.core]++, p.node, p.number});
  }
  std::sort(places.begin(), places.end());
  std::vector<unsigned> order;
  std::transform(places.begin(), places.end(), std::back_inserter(order), [](const place& p) { return p.number; });
  return order;
}

topology topology_from(const std::string& root, const std::vector<unsigned>& numbers) {
  constexpr unsigned no_group = ~0u;
  const group_map by_core = group_by(root, numbers, siblings_of);
  const group_map by_cache = group_by(root, numbers, sharers_of_last_cache);
  const group_map by_node = group_by_node(root);
  numbering cores;
  numbering caches;
  numbering nodes;
  std::vector<processor> processors;
  for (const unsigned number : numbers) {
    // A core's name is the number of its first known processor: one that is not known itself can use its own number.
    processors.push_back({.number = number,
                          .core = cores(name_of(by_core, number, number)),
                          .cache = caches(name_of(by_cache, number, no_group)),
                          .node = nodes(name_of(by_node, number, no_group))});
  }
  return topology(std::move(processors));
}

}  // namespace sluice::impl
