// Made-up /sys trees, their reading compared with that of util-linux's lscpu, which is also asked about this machine.

#include <sluice/scheduler/cpu_budget.hpp>
#include <sluice/scheduler/topology.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace sluice::impl {
namespace {

using testing::ElementsAre;
using numbers = std::vector<unsigned>;

numbers range(unsigned from, unsigned to) {
  numbers all(to - from);
  std::iota(all.begin(), all.end(), from);
  return all;
}

std::string list_of(const numbers& members) {
  std::string text;
  for (const unsigned member : members) {
    if (!text.empty()) text += ',';
    text += std::to_string(member);
  }
  return text + "\n";
}

// The kernel's other way to write a list: words of 32 bits, the highest first.
std::string mask_of(const numbers& members) {
  std::vector<std::uint32_t> words(members.back() / 32 + 1);
  for (const unsigned member : members) words[member / 32] |= 1u << member % 32;
  std::string text;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%s%08x", text.empty() ? "" : ",", *word);
    text += digits;
  }
  return text + "\n";
}

class Topology : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / ("sluice-topology-" + std::to_string(::getpid()) + "-" +
                                                      testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const auto file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  static std::string folder_of(unsigned number) { return "sys/devices/system/cpu/cpu" + std::to_string(number); }

  void core(const numbers& members) {
    for (const unsigned number : members) {
      write(folder_of(number) + "/topology/core_cpus_list", list_of(members));
      write(folder_of(number) + "/topology/core_cpus", mask_of(members));
      write(folder_of(number) + "/topology/thread_siblings_list", list_of(members));
      write(folder_of(number) + "/topology/thread_siblings", mask_of(members));
      write(folder_of(number) + "/topology/core_id", std::to_string(members.front()) + "\n");
    }
  }
  void cache(const numbers& members, unsigned index, unsigned level, const std::string& type = "Unified") {
    for (const unsigned number : members) {
      const std::string folder = folder_of(number) + "/cache/index" + std::to_string(index);
      write(folder + "/level", std::to_string(level) + "\n");
      write(folder + "/type", type + "\n");
      write(folder + "/shared_cpu_list", list_of(members));
      write(folder + "/shared_cpu_map", mask_of(members));
    }
  }
  void node(unsigned number, const numbers& members) {
    const std::string folder = "sys/devices/system/node/node" + std::to_string(number);
    write(folder + "/cpulist", list_of(members));
    write(folder + "/cpumap", mask_of(members));
  }
  void package(unsigned id, const numbers& members) {
    for (const unsigned number : members) {
      write(folder_of(number) + "/topology/core_siblings_list", list_of(members));
      write(folder_of(number) + "/topology/core_siblings", mask_of(members));
      write(folder_of(number) + "/topology/physical_package_id", std::to_string(id) + "\n");
    }
  }
  topology read(const numbers& of) { return topology_from(root_.string(), of); }

  std::filesystem::path root_;
};

/// What lscpu says of each processor: its core, its node, its last cache, in names of its own.
struct told {
  std::string core;
  std::string node;
  std::string cache;
};
using oracle = std::map<unsigned, told>;

/// Empty: there is no lscpu.
oracle ask_lscpu(const std::string& more_arguments) {
  const std::string command = "lscpu " + more_arguments + " -p=CPU,CORE,SOCKET,NODE,CACHE 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  oracle answers;
  char line[1024];
  while (pipe != nullptr && std::fgets(line, sizeof line, pipe.get()) != nullptr) {
    if (line[0] < '0' || line[0] > '9') continue;
    std::string text(line);
    text.pop_back();
    std::replace(text.begin(), text.end(), ':', ',');  // how some versions part the caches
    std::istringstream in(text);
    std::vector<std::string> cells;
    for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
    told& answer = answers[static_cast<unsigned>(std::stoul(cells.at(0)))];
    answer.core = cells.at(1);
    answer.node = cells.at(3);
    for (std::size_t i = 4; i < cells.size(); ++i) {
      if (!cells[i].empty()) answer.cache = std::to_string(i) + "/" + cells[i];
    }
  }
  return answers;
}

void expect_as_lscpu_says(const topology& t, const oracle& answers) {
  std::map<std::string, unsigned> cores;
  std::map<std::string, unsigned> caches;
  std::map<std::string, unsigned> nodes;
  for (const processor& p : t.processors()) {
    ASSERT_TRUE(answers.contains(p.number)) << p.number;
    const told& answer = answers.at(p.number);
    EXPECT_EQ(cores.try_emplace(answer.core, p.core).first->second, p.core) << p.number;
    EXPECT_EQ(caches.try_emplace(answer.cache, p.cache).first->second, p.cache) << p.number;
    EXPECT_EQ(nodes.try_emplace(answer.node, p.node).first->second, p.node) << p.number;
  }
  EXPECT_EQ(cores.size(), t.cores());
  EXPECT_EQ(caches.size(), t.caches());
  EXPECT_EQ(nodes.size(), t.nodes());
}

TEST_F(Topology, WhereNothingCanBeReadAllProcessorsAreUnderOneCacheEachWithItsCore) {
  const topology t = read({2, 5, 9});
  EXPECT_EQ(t.cores(), 3u);
  EXPECT_EQ(t.caches(), 1u);
  EXPECT_EQ(t.nodes(), 1u);
  EXPECT_EQ(t.distance(2, 9), 1u);
  EXPECT_THAT(t.pinning_order(), ElementsAre(2, 5, 9));
}

TEST_F(Topology, ProcessorsUnderOneCacheAreOneDomain) {
  for (unsigned i = 0; i < 4; ++i) core({i});
  cache({0, 1, 2, 3}, 3, 3);
  node(0, {0, 1, 2, 3});
  const topology t = read(range(0, 4));
  EXPECT_EQ(t.caches(), 1u);
  EXPECT_EQ(t.nodes(), 1u);
  EXPECT_EQ(t.distance(1, 1), 0u);
  EXPECT_EQ(t.distance(0, 3), 1u);
  EXPECT_THAT(t.pinning_order(), ElementsAre(0, 1, 2, 3));
}

TEST_F(Topology, TheHighestCacheThatHoldsDataCounts) {
  for (const unsigned first : {0u, 2u}) {
    cache({first}, 0, 1, "Data");
    cache({first + 1}, 0, 1, "Data");
    cache({first, first + 1}, 1, 2);
  }
  cache({0, 1, 2, 3}, 2, 9, "Instruction");
  const topology t = read(range(0, 4));
  EXPECT_EQ(t.caches(), 2u);
  EXPECT_EQ(t.distance(0, 1), 1u);
  EXPECT_EQ(t.distance(1, 2), 2u);
}

TEST_F(Topology, WithTwoCachesOnOneNodeAndTwoThreadsACoreEachCacheAndThenEachCoreIsFilled) {
  // Two caches of two cores; the second threads of the cores are 4 to 7, as the kernel likes to number them.
  for (unsigned i = 0; i < 4; ++i) core({i, i + 4});
  cache({0, 1, 4, 5}, 3, 3);
  cache({2, 3, 6, 7}, 3, 3);
  node(0, range(0, 8));
  const topology t = read(range(0, 8));
  EXPECT_EQ(t.cores(), 4u);
  EXPECT_EQ(t.caches(), 2u);
  EXPECT_EQ(t.nodes(), 1u);
  EXPECT_EQ(t.distance(0, 4), 0u);
  EXPECT_EQ(t.distance(0, 5), 1u);
  EXPECT_EQ(t.distance(4, 6), 2u);
  EXPECT_THAT(t.pinning_order(), ElementsAre(0, 1, 4, 5, 2, 3, 6, 7));
}

TEST_F(Topology, EachCoreGetsAWorkerBeforeAnyGetsASecondHoweverTheThreadsAreNumbered) {
  for (const unsigned i : {0u, 2u, 4u, 6u}) core({i, i + 1});
  cache({0, 1, 2, 3}, 3, 3);
  cache({4, 5, 6, 7}, 3, 3);
  EXPECT_THAT(read(range(0, 8)).pinning_order(), ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
  EXPECT_THAT(read({0, 1, 3, 4}).pinning_order(), ElementsAre(0, 3, 1, 4));
}

TEST_F(Topology, TheCachesOfANodeAreFilledBeforeThoseOfTheNext) {
  for (const unsigned first : {0u, 1u, 2u, 3u}) cache({first, first + 4}, 3, 3);
  node(0, {0, 2, 4, 6});
  node(1, {1, 3, 5, 7});
  EXPECT_THAT(read(range(0, 8)).pinning_order(), ElementsAre(0, 4, 2, 6, 1, 5, 3, 7));
}

TEST_F(Topology, UnderACacheThatServesTwoNodesANodeIsFilledBeforeTheNext) {
  cache(range(0, 8), 3, 3);
  node(0, {0, 1, 4, 5});
  node(1, {2, 3, 6, 7});
  EXPECT_THAT(read(range(0, 8)).pinning_order(), ElementsAre(0, 1, 4, 5, 2, 3, 6, 7));
}

TEST_F(Topology, FourNodesAreFarFromEachOther) {
  for (unsigned i = 0; i < 4; ++i) {
    cache({2 * i, 2 * i + 1}, 3, 3);
    node(i, {2 * i, 2 * i + 1});
  }
  const topology t = read(range(0, 8));
  EXPECT_EQ(t.nodes(), 4u);
  EXPECT_EQ(t.distance(0, 1), 1u);
  EXPECT_EQ(t.distance(1, 2), 3u);
}

TEST_F(Topology, OnlyTheProcessorsAskedForAreThereAndTheirDomainsCountFromZero) {
  for (unsigned i = 0; i < 4; ++i) {
    core({2 * i, 2 * i + 1});
    cache({2 * i, 2 * i + 1}, 3, 3);
    node(i, {2 * i, 2 * i + 1});
  }
  const topology t = read({3, 5, 6});
  EXPECT_EQ(t.cores(), 3u);
  EXPECT_EQ(t.caches(), 3u);
  EXPECT_EQ(t.nodes(), 3u);
  EXPECT_EQ(t.find(4), nullptr);
  EXPECT_EQ(t.find(4000000), nullptr);
  EXPECT_EQ(t.find(5)->node, 1u);
  EXPECT_EQ(t.distance(3, 4), 3u);
  EXPECT_THAT(t.pinning_order(), ElementsAre(3, 5, 6));
}

TEST_F(Topology, AProcessorThatIsOfflineIsInADomainOfTheUnknown) {
  for (const unsigned i : {0u, 1u}) core({i});
  cache({0, 1}, 3, 3);
  node(0, {0, 1});
  const topology t = read({0, 1, 2, 3});
  EXPECT_EQ(t.cores(), 4u);
  EXPECT_EQ(t.distance(0, 1), 1u);
  EXPECT_EQ(t.distance(0, 2), 3u);
  EXPECT_EQ(t.distance(2, 3), 1u);
}

TEST_F(Topology, ListsMayHaveRangesAndTheOlderNameOfTheListOfACoreIsRead) {
  write("sys/devices/system/node/node0/cpulist", "0-3,8,10-11\n");
  write("sys/devices/system/node/node7/cpulist", "4-7,9\n");
  write("sys/devices/system/node/node8/cpulist", "\n");  // a node of memory alone
  write(folder_of(0) + "/topology/thread_siblings_list", "0,8\n");
  const topology t = read(range(0, 12));
  EXPECT_EQ(t.nodes(), 2u);
  for (const unsigned i : {0u, 1u, 2u, 3u, 8u, 10u, 11u}) EXPECT_EQ(t.find(i)->node, 0u) << i;
  for (const unsigned i : {4u, 5u, 6u, 7u, 9u}) EXPECT_EQ(t.find(i)->node, 1u) << i;
  EXPECT_EQ(t.distance(0, 8), 0u);
  EXPECT_EQ(t.cores(), 11u);
}

TEST_F(Topology, NonsenseIsAsIfNothingCouldBeRead) {
  for (const char* nonsense :
       {"", "many", "1-", "-1", "3-1", "3-1,0", "0-4294967295", "0,1,x", "99999999999", "0-1048576", "7"}) {
    write("sys/devices/system/node/node0/cpulist", nonsense);
    write(folder_of(0) + "/topology/core_cpus_list", nonsense);
    write(folder_of(0) + "/cache/index3/level", "3\n");
    write(folder_of(0) + "/cache/index3/shared_cpu_list", nonsense);
    const topology t = read({0, 1});
    EXPECT_EQ(t.cores(), 2u) << nonsense;
    EXPECT_EQ(t.caches(), 1u) << nonsense;
    EXPECT_EQ(t.nodes(), 1u) << nonsense;
  }
}

TEST_F(Topology, ProcessorsAbove1023AreLikeOthers) {
  core({0, 1500});
  core({1499, 4000});
  cache({0, 1500}, 3, 3);
  cache({1499, 4000}, 3, 3);
  const topology t = read({0, 1499, 1500, 4000});
  EXPECT_EQ(t.distance(0, 1500), 0u);
  EXPECT_EQ(t.distance(0, 4000), 2u);
  EXPECT_THAT(t.pinning_order(), ElementsAre(0, 1500, 1499, 4000));
}

TEST_F(Topology, AMachineOfTwoPackagesIsReadAsLscpuReadsIt) {
  // Two packages, each two nodes, each two caches of two cores with two threads: 32 processors, numbered as kernels do.
  for (unsigned i = 0; i < 16; ++i) {
    core({i, i + 16});
    cache({i, i + 16}, 0, 1, "Data");
    cache({i, i + 16}, 1, 1, "Instruction");
    cache({i, i + 16}, 2, 2);
  }
  for (unsigned i = 0; i < 8; ++i) cache({2 * i, 2 * i + 1, 2 * i + 16, 2 * i + 17}, 3, 3);
  const auto group = [](unsigned i, unsigned size) {
    numbers members = range(i * size, (i + 1) * size);
    for (unsigned k = 0; k < size; ++k) members.push_back(members[k] + 16);
    return members;
  };
  for (unsigned i = 0; i < 4; ++i) node(i, group(i, 4));
  for (unsigned i = 0; i < 2; ++i) package(i, group(i, 8));
  for (const char* which : {"online", "present", "possible"})
    write(std::string("sys/devices/system/cpu/") + which, "0-31\n");
  write("sys/devices/system/cpu/kernel_max", "8191\n");
  write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: sluice\n\n");
  const topology t = read(range(0, 32));
  EXPECT_EQ(t.cores(), 16u);
  EXPECT_EQ(t.caches(), 8u);
  EXPECT_EQ(t.nodes(), 4u);
  const oracle answers = ask_lscpu("--sysroot " + root_.string());
  if (answers.empty()) GTEST_SKIP() << "there is no lscpu here to compare with";
  expect_as_lscpu_says(t, answers);
}

TEST(TopologyHere, IsAsLscpuReadsIt) {
  const topology t = this_topology();
  EXPECT_EQ(t.processors().size(), allowed_processors().size());
  numbers order = t.pinning_order();
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, allowed_processors());
  const oracle answers = ask_lscpu("");
  if (answers.empty()) GTEST_SKIP() << "there is no lscpu here to compare with";
  expect_as_lscpu_says(t, answers);
}

}  // namespace
}  // namespace sluice::impl
