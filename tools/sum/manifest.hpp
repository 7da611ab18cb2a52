#pragma once
// One line of a manifest, written and read exactly as sha256sum does.
//
//   <64 hexadecimal digits><space><space><name><newline>
//
// A name that holds a backslash, a newline or a carriage return has these written as \\, \n and \r, and
// then the whole line begins with one more backslash. Every other byte stands for itself: names are bytes, not text.

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace sum {

using digest = std::array<unsigned char, 32>;

struct manifest_line {
  digest value{};
  std::string path;
};

/// Appends the line of `path`, with its newline.
void append_line(std::string& out, const digest& value, std::string_view path);

/// Reads one line, given without its newline. Takes what sha256sum writes in text mode ("  ") and in
/// binary mode (" *"); empty for anything else.
std::optional<manifest_line> parse_line(std::string_view line);

}  // namespace sum
