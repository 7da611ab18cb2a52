#pragma once
// The last resort: misuse that cannot be thrown (from a destructor), or a broken invariant of our own.

#include <string>

namespace sluice::impl {

/// Prints "sluice: " and the sentence, and aborts.
[[noreturn]] void fail(const std::string& sentence) noexcept;

}  // namespace sluice::impl
