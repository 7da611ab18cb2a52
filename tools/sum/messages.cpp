#include "messages.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <system_error>

namespace sum {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

std::string_view kind_of(int type) {
  switch (type) {
    case S_IFIFO:
      return "a fifo";
    case S_IFSOCK:
      return "a socket";
    case S_IFCHR:
      return "a character device";
    case S_IFBLK:
      return "a block device";
    default:
      return "not a regular file";
  }
}

// How many bytes of `s` are one character that may be shown; 0 if its first byte may not.
std::size_t printable(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first >= 0xf5 || s.size() < length) return 0;
  std::uint32_t code = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < smallest[length] || code < 0xa0 || surrogate || code > 0x10ffff ? 0 : length;
}

bool is_printable(std::string_view s) {
  while (!s.empty()) {
    const std::size_t length = printable(s);
    if (length == 0) return false;
    s.remove_prefix(length);
  }
  return true;
}

std::string ansi_quoted(std::string_view name) {
  std::string out = "$'";
  while (!name.empty()) {
    const std::size_t length = printable(name);
    if (length == 0) {
      const char c = name[0];
      out += c == '\n'   ? "\\n"
             : c == '\t' ? "\\t"
             : c == '\r' ? "\\r"
                         : fmt::format("\\{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
      name.remove_prefix(1);
      continue;
    }
    if (name[0] == '\'' || name[0] == '\\') out += '\\';
    out += name.substr(0, length);
    name.remove_prefix(length);
  }
  return out + "'";
}

}  // namespace

std::string shell_quoted(std::string_view name) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!name.empty() && name.find_first_not_of(plain) == std::string_view::npos) return std::string(name);
  if (!is_printable(name) || name.find('\'') != std::string_view::npos) return ansi_quoted(name);
  return fmt::format("'{}'", name);
}

bool is_error(outcome what) {
  switch (what) {
    case outcome::unreadable:
    case outcome::vanished:
    case outcome::special:
    case outcome::changing:
    case outcome::unlisted:
    case outcome::loop:
      return true;
    default:
      return false;
  }
}

std::string describe(const entry& e, std::string_view path) {
  const std::string name = shell_quoted(path);
  switch (e.what) {
    case outcome::unreadable:
      return fmt::format("{} cannot be read: {}. It has no line.", name, reason(e.error));
    case outcome::vanished:
      return fmt::format("{} vanished before it could be read. It has no line.", name);
    case outcome::special:
      return fmt::format("{} is {}, not a regular file: skipped.", name, kind_of(e.error));
    case outcome::changing:
      return fmt::format(
          "{} changed while it was read, and again while it was read anew. It has no line: hash it "
          "when nobody writes to it.",
          name);
    case outcome::unlisted:
      return fmt::format("The directory {} cannot be listed: {}. What it holds has no lines.", name, reason(e.error));
    case outcome::loop:
      return fmt::format("{} leads back to a directory above it, or only to itself: not entered.", name);
    case outcome::skipped:
      return fmt::format("{} is a manifest of this very run: not hashed.", name);
    default:
      return {};
  }
}

std::string how_to_go_on(const std::string& manifest, const std::vector<std::string>& roots, bool follow) {
  std::string paths;
  bool dashed = false;
  for (const std::string& root : roots) {
    paths += ' ' + shell_quoted(root);
    dashed = dashed || root.starts_with('-');
  }
  if (dashed) paths.insert(0, " --");
  const std::string options = follow ? " --follow" : "";
  if (manifest.empty()) {
    return fmt::format(
        "To go on, with the lines so far saved in the file PARTIAL: sluice-sum --resume PARTIAL "
        "--output MANIFEST{}{}",
        options, paths);
  }
  const std::string name = shell_quoted(manifest);
  return fmt::format("To go on: sluice-sum --resume {} --output {}{}{}", name, name, options, paths);
}

std::string in_bytes(double bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < units.size(); ++unit) bytes /= 1000;
  if (unit == 0) return fmt::format("{:.0f} B", bytes);
  return fmt::format("{:.{}f} {}", bytes, bytes < 9.995 ? 2 : bytes < 99.95 ? 1 : 0, units[unit]);
}

std::string in_time(std::chrono::nanoseconds time) {
  constexpr std::array units{"ns", "us", "ms", "s"};
  auto value = static_cast<double>(time.count());
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= 1000;
  if (unit == 0) return fmt::format("{:.0f} ns", value);
  return fmt::format("{:.{}f} {}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, units[unit]);
}

std::string in_clock(std::chrono::seconds time) {
  const auto s = time.count();
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string with_commas(std::uint64_t n) {
  std::string digits = fmt::format("{}", n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

}  // namespace sum
