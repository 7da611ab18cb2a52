#pragma once
// What the run says to its user: one sentence for each thing that went wrong, names that cannot garble a terminal, and
// numbers in units that people read.

#include "batch.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sum {

/// `name` as a shell would take it back: as it is, in '', or in $'' if it holds bytes that no terminal should see.
std::string shell_quoted(std::string_view name);

/// Whether the entry is an error, which the exit status tells.
bool is_error(outcome what);

/// The sentence for an entry that is an error or was skipped, without a newline; empty for the others.
std::string describe(const entry& e, std::string_view path);

/// How to go on after an interruption: a sentence with the command. `manifest` is empty if it went to stdout.
std::string how_to_go_on(const std::string& manifest, const std::vector<std::string>& roots, bool follow);

std::string in_bytes(double bytes);                  // "1.23 GB"
std::string in_time(std::chrono::nanoseconds time);  // "1.2 ms"
std::string in_clock(std::chrono::seconds time);     // "1:02:03"
std::string with_commas(std::uint64_t n);            // "1,234,567"

}  // namespace sum
