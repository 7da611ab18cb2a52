#include "files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <string>

namespace sum {
namespace {

// A path that the kernel takes at once, and the directory that it is relative to.
struct place {
  descriptor base;
  const char* rest;
  bool found;
  int at() const { return base ? base.get() : AT_FDCWD; }
};

// Goes down a path that is too long, in steps that the kernel takes, until what is left is short enough.
place come_near(const char* path) {
  place at{descriptor{}, path, true};
  while (std::strlen(at.rest) >= PATH_MAX) {
    const std::string window(at.rest, PATH_MAX - 1);
    const auto slash = window.rfind('/');
    if (slash == std::string::npos || slash == 0) {
      errno = ENAMETOOLONG;
      return {descriptor{}, path, false};
    }
    descriptor next{openat(at.at(), window.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!next) return {descriptor{}, path, false};
    at.base = std::move(next);
    at.rest += slash;
    while (*at.rest == '/') ++at.rest;
  }
  return at;
}

}  // namespace

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void descriptor::reset() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

descriptor open_path(const char* path, int flags) {
  flags |= O_CLOEXEC | O_NOCTTY;
  descriptor opened{::open(path, flags)};
  if (opened || errno != ENAMETOOLONG) return opened;
  const place near = come_near(path);
  if (!near.found) return descriptor{};
  return descriptor{openat(near.at(), near.rest, flags)};
}

bool stat_path(const char* path, bool follow, struct stat& out) {
  const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (fstatat(AT_FDCWD, path, &out, flags) == 0) return true;
  if (errno != ENAMETOOLONG) return false;
  const place near = come_near(path);
  return near.found && fstatat(near.at(), near.rest, &out, flags) == 0;
}

}  // namespace sum
