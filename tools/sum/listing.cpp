#include "listing.hpp"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace sum {
namespace {

struct close_directory {
  void operator()(DIR* d) const noexcept { ::closedir(d); }
};

bool is_dots(const char* name) { return std::string_view(name) == "." || std::string_view(name) == ".."; }

}  // namespace

listing::listing(descriptor directory) {
  const std::unique_ptr<DIR, close_directory> open{::fdopendir(directory.get())};
  if (!open) {
    error_ = errno;
    return;
  }
  static_cast<void>(directory.release());  // closedir closes it from here on
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(open.get());
    if (found == nullptr) break;
    if (is_dots(found->d_name)) continue;
    items_.push_back({prefix_of(found->d_name), names_.size() & ((std::uint64_t{1} << 56) - 1), found->d_type});
    names_ += found->d_name;
    names_ += '\0';
  }
  error_ = errno;
  sort();
}

std::uint64_t listing::prefix_of(const char* name) noexcept {
  std::uint64_t prefix = 0;
  for (int i = 0; i < 8; ++i) {
    prefix = prefix << 8 | static_cast<unsigned char>(*name);
    if (*name != '\0') ++name;
  }
  return prefix;
}

void listing::sort() {
  std::sort(items_.begin(), items_.end(), [this](const item& a, const item& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return std::strcmp(names_.data() + a.name, names_.data() + b.name) < 0;
  });
}

}  // namespace sum
