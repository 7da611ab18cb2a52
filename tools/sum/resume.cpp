#include "resume.hpp"

#include "messages.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace sum {
namespace {

std::uint64_t hash_of(std::string_view path) { return std::hash<std::string_view>{}(path); }

std::size_t read_at(int fd, char* into, std::size_t size, std::uint64_t offset) {
  for (;;) {
    const ssize_t got = ::pread(fd, into, size, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "reading the manifest");
  }
}

}  // namespace

resume_index::resume_index(const std::string& path) : from_(open_path(path.c_str(), O_RDONLY)) {
  struct stat s{};
  if (!from_ || ::fstat(from_.get(), &s) != 0) {
    throw std::system_error(errno, std::generic_category(), "--resume " + shell_quoted(path));
  }
  file_ = identify(s);
  if (!S_ISREG(s.st_mode)) {
    throw std::system_error(EINVAL, std::generic_category(),
                            "--resume " + shell_quoted(path) + " is not a regular file");
  }
  read_all();
  std::sort(lines_.begin(), lines_.end(),
            [](const line& a, const line& b) { return a.hash != b.hash ? a.hash < b.hash : a.offset < b.offset; });
}

void resume_index::read_all() {
  std::string text;          // whole lines, and the beginning of one
  std::uint64_t begins = 0;  // the offset of text[0]
  std::array<char, 65536> piece;
  for (;;) {
    const std::size_t got = read_at(from_.get(), piece.data(), piece.size(), begins + text.size());
    if (got == 0) break;
    text.append(piece.data(), got);
    std::size_t at = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
      add(std::string_view(text).substr(at, end - at), begins + at);
      at = end + 1;
    }
    text.erase(0, at);
    begins += at;
  }
  torn_ = !text.empty();
}

void resume_index::add(std::string_view text, std::uint64_t offset) {
  if (text.empty() || text.starts_with('#')) return;  // as sha256sum -c has it: a comment
  const auto parsed = parse_line(text);
  if (!parsed) {
    ++malformed_;
    return;
  }
  lines_.push_back({hash_of(parsed->path), offset & ~(std::uint64_t{1} << 63), 0});
}

std::optional<manifest_line> resume_index::read_line(std::uint64_t offset) const {
  std::string text;
  std::array<char, 512> piece;
  for (;;) {
    const std::size_t got = read_at(from_.get(), piece.data(), piece.size(), offset + text.size());
    if (got == 0) return std::nullopt;  // the manifest was shortened under us: the file is hashed again
    const std::string_view more(piece.data(), got);
    const auto end = more.find('\n');
    text += more.substr(0, end);
    if (end != std::string_view::npos) return parse_line(text);
  }
}

std::optional<digest> resume_index::take(std::string_view path) {
  const std::uint64_t hash = hash_of(path);
  auto at = std::lower_bound(lines_.begin(), lines_.end(), hash,
                             [](const line& a, std::uint64_t wanted) { return a.hash < wanted; });
  std::optional<digest> found;
  for (; at != lines_.end() && at->hash == hash; ++at) {
    const auto text = read_line(at->offset);
    if (!text || text->path != path) continue;
    at->used = 1;
    found = text->value;
  }
  return found;
}

void resume_index::for_each_left(const std::function<void(const manifest_line&)>& each) const {
  std::vector<std::uint64_t> offsets;
  for (const line& l : lines_) {
    if (!l.used) offsets.push_back(l.offset);
  }
  std::sort(offsets.begin(), offsets.end());
  for (const std::uint64_t offset : offsets) {
    if (const auto text = read_line(offset)) each(*text);
  }
}

}  // namespace sum
