#pragma once
// The test watchdog: when no test finishes for a minute, it prints what every runtime of the process is at, and aborts.
// It is linked into every test binary and starts with the first test.

#include <chrono>

namespace sluice::testing {

/// Installs the watchdog as a listener of GoogleTest. Called once, before main by watchdog.cpp itself.
void install_watchdog(std::chrono::seconds patience);

}  // namespace sluice::testing
