#include "quota_group.hpp"

#include "harness.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

namespace bench {
namespace {

constexpr std::int64_t period_us = 100'000;
constexpr int removal_tries = 500;  // 10 ms apart: a killed process needs a moment to leave its group

[[noreturn]] void give_up(const std::string& what, int error) {
  throw skip("no cgroup can be made here (" + what + ": " + std::strerror(error) + ")");
}

/// Writes to a file that exists; 0 or the error. Safe after fork().
int write_file(const char* path, const char* text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const int error = write(file, text, std::strlen(text)) < 0 ? errno : 0;
  close(file);
  return error;
}

void write_or_give_up(const std::string& path, const std::string& text) {
  if (const int error = write_file(path.c_str(), text.c_str())) give_up(path, error);
}

bool has_word(const std::string& path, const std::string& word) {
  std::ifstream in(path);
  for (std::string each; in >> each;)
    if (each == word) return true;
  return false;
}

bool names_cpu(const std::string& controllers) {
  std::istringstream in(controllers);
  for (std::string each; std::getline(in, each, ',');)
    if (each == "cpu") return true;
  return false;
}

/// The group of this process, in the hierarchy that has the processors: lines such as "4:cpu,cpuacct:/a" or "0::/a".
group_place own_group() {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const std::string root = "/sys/fs/cgroup" + (controllers.empty() ? "" : "/" + controllers);
    const std::string folder = path == "/" ? root : root + path;
    if (controllers.empty() && has_word(folder + "/cgroup.controllers", "cpu")) return {folder, true};
    if (names_cpu(controllers) && access((folder + "/tasks").c_str(), F_OK) == 0) return {folder, false};
    if (names_cpu(controllers) && access(("/sys/fs/cgroup/cpu" + path + "/tasks").c_str(), F_OK) == 0)
      return {"/sys/fs/cgroup/cpu" + (path == "/" ? "" : path), false};
  }
  throw skip(
      "no cgroup can be made here (the group of this process is not to be seen, or has no control of processors)");
}

/// The file that moves one thread. "0" in it is the thread that writes.
std::string threads_of(const group_place& place, const std::string& folder) {
  return folder + (place.v2 ? "/cgroup.threads" : "/tasks");
}

/// The life of the keeper, a child of fork(): it may only call what is safe after that.
[[noreturn]] void keep(int gone, const char* folder, const char* switches) {
  setsid();  // so that a signal from the terminal ends us and not the keeper
  for (const int stream : {0, 1, 2}) close(stream);
  char byte = 0;
  while (read(gone, &byte, 1) < 0 && errno == EINTR) {
  }
  int failed = rmdir(folder);
  for (int i = 0; failed != 0 && errno == EBUSY && i < removal_tries; ++i) {
    usleep(10'000);
    failed = rmdir(folder);
  }
  if (switches != nullptr) write_file(switches, "-cpu");
  _exit(failed != 0 ? 1 : 0);
}

}  // namespace

kept_group::kept_group(const group_place& parent)
    : folder_(parent.folder + "/sluice-quota-" + std::to_string(getpid())) {
  // What this group hands on to those below is changed only if it has to be, and changed back by the keeper.
  const std::string switches = parent.folder + "/cgroup.subtree_control";
  const bool switched = parent.v2 && !has_word(switches, "cpu");
  if (mkdir(folder_.c_str(), 0755) != 0) give_up("mkdir " + folder_, errno);
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0 || (keeper_ = fork()) < 0) {
    const int error = errno;
    for (const int end : ends) close(end);
    rmdir(folder_.c_str());
    give_up("a process to remove it", error);
  }
  if (keeper_ == 0) {
    close(ends[1]);
    keep(ends[0], folder_.c_str(), switched ? switches.c_str() : nullptr);
  }
  close(ends[0]);
  still_here_ = ends[1];
}

kept_group::~kept_group() {
  close(still_here_);
  int status = 0;
  while (waitpid(keeper_, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) std::fprintf(stderr, "sluice-boards: the cgroup %s could not be removed.\n", folder_.c_str());
}

quota_group::quota_group(double processors) : parent_(own_group()), group_(parent_) {
  const auto quota_us = static_cast<std::int64_t>(std::llround(processors * static_cast<double>(period_us)));
  set_quota(quota_us);
  write_or_give_up(threads_of(parent_, group_.folder()), "0");
}

quota_group::~quota_group() {
  const std::string home = threads_of(parent_, parent_.folder);
  if (const int error = write_file(home.c_str(), "0"))
    std::fprintf(stderr, "sluice-boards: could not go back to %s: %s.\n", home.c_str(), std::strerror(error));
}

void quota_group::set_quota(std::int64_t quota_us) {
  const std::string quota = std::to_string(quota_us), period = std::to_string(period_us);
  if (parent_.v2) {
    // A group of threads: only so may it lie beside threads of the group above, and have some of a process.
    write_or_give_up(group_.folder() + "/cgroup.type", "threaded");
    const std::string switches = parent_.folder + "/cgroup.subtree_control";
    if (!has_word(switches, "cpu")) write_or_give_up(switches, "+cpu");
    write_or_give_up(group_.folder() + "/cpu.max", quota + " " + period);
  } else {
    write_or_give_up(group_.folder() + "/cpu.cfs_period_us", period);
    write_or_give_up(group_.folder() + "/cpu.cfs_quota_us", quota);
  }
}

double quota_group::throttled_percent() const {
  std::ifstream in(group_.folder() + "/cpu.stat");
  double periods = 0, throttled = 0, value = 0;
  for (std::string name; in >> name >> value;) {
    if (name == "nr_periods") periods = value;
    if (name == "nr_throttled") throttled = value;
  }
  return periods > 0 ? 100 * throttled / periods : 0;
}

}  // namespace bench
