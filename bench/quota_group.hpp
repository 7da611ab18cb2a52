#pragma once
// A cgroup that limits the processor time of the calling thread and of every thread that it starts from then on.
//
// It is made under the group that the process is in, as that group is: nothing leaves a limit that it was under. Other
// threads stay where they are. A process of our own, the keeper, removes the group when we have left it, and also when
// we have been killed.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace bench {

/// Where a group can be made: the folder of our own group, in version 2 of the interface or in version 1.
struct group_place {
  std::string folder;
  bool v2 = false;
};

/// A folder for a new group, and the process that removes it.
class kept_group {
 public:
  /// Makes the group. Throws bench::skip where that is not allowed.
  explicit kept_group(const group_place& parent);
  /// Waits until the group is removed; says so on stderr if it cannot be.
  ~kept_group();
  kept_group(const kept_group&) = delete;
  kept_group& operator=(const kept_group&) = delete;

  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  int still_here_ = -1;  // the keeper reads the other end: it ends when we close this one, or end
  pid_t keeper_ = -1;
};

/// The calling thread in a group with a quota, from construction to destruction on that thread.
class quota_group {
 public:
  /// `processors` is how many of them the quota allows; halves are fine. Throws bench::skip where it may not be made.
  explicit quota_group(double processors);
  /// Every thread that was started meanwhile must have ended.
  ~quota_group();
  quota_group(const quota_group&) = delete;
  quota_group& operator=(const quota_group&) = delete;

  /// In how many of a hundred periods the kernel has stopped the group.
  double throttled_percent() const;

 private:
  void set_quota(std::int64_t quota_us);

  group_place parent_;
  kept_group group_;
};

}  // namespace bench
