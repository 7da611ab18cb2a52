#pragma once
// Files by path: descriptors that close themselves, and paths of any length.

#include <sys/stat.h>

#include <cstdint>
#include <utility>

namespace sum {

/// Owns a file descriptor; -1 is none.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept;
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Which file it is, whatever its name.
struct identity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const identity&, const identity&) = default;
};
inline identity identify(const struct stat& s) { return {s.st_dev, s.st_ino}; }

/// open(2), close-on-exec and never as a controlling terminal, also for paths longer than PATH_MAX. Empty: errno says why.
descriptor open_path(const char* path, int flags);

/// stat(2) or lstat(2), also for paths longer than PATH_MAX. False: errno says why.
[[nodiscard]] bool stat_path(const char* path, bool follow, struct stat& out);

}  // namespace sum
