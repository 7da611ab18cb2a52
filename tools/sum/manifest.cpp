#include "manifest.hpp"

namespace sum {
namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::string_view escaped_bytes{"\\\n\r"};

void append_escaped(std::string& out, std::string_view name) {
  for (const char c : name) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
}

std::optional<std::string> unescape(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\') {
      out += name[i];
      continue;
    }
    if (++i == name.size()) return std::nullopt;
    switch (name[i]) {
      case '\\':
        out += '\\';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      default:
        return std::nullopt;
    }
  }
  return out;
}

int value_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<digest> parse_digest(std::string_view hex) {
  digest out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = value_of(hex[2 * i]);
    const int low = value_of(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return out;
}

}  // namespace

void append_line(std::string& out, const digest& value, std::string_view path) {
  const bool escape = path.find_first_of(escaped_bytes) != std::string_view::npos;
  if (escape) out += '\\';
  std::array<char, 2 * std::tuple_size_v<digest> + 2> head;
  std::size_t at = 0;
  for (const unsigned char byte : value) {
    head[at++] = digits[byte >> 4];
    head[at++] = digits[byte & 15];
  }
  head[at++] = ' ';
  head[at++] = ' ';
  out.append(head.data(), at);
  if (escape) {
    append_escaped(out, path);
  } else {
    out += path;
  }
  out += '\n';
}

std::optional<manifest_line> parse_line(std::string_view line) {
  constexpr std::size_t hex = 2 * std::tuple_size_v<digest>;
  const bool escaped = line.starts_with('\\');
  if (escaped) line.remove_prefix(1);
  if (line.size() < hex + 3 || line[hex] != ' ' || (line[hex + 1] != ' ' && line[hex + 1] != '*')) {
    return std::nullopt;
  }
  const auto value = parse_digest(line.substr(0, hex));
  if (!value) return std::nullopt;
  const std::string_view name = line.substr(hex + 2);
  if (!escaped) return manifest_line{*value, std::string(name)};
  auto path = unescape(name);
  if (!path) return std::nullopt;
  return manifest_line{*value, std::move(*path)};
}

}  // namespace sum
