#pragma once
// Keeps what different threads write off each other's cache lines, in objects that live in coroutine frames: those are
// aligned to 16 bytes whatever alignas says, so the distance must be made of bytes.

#include <cstddef>

namespace sluice::impl {

/// Two cache lines, because x86 fetches pairs and some AArch64 lines are that long.
struct apart {
  std::byte unused[128];
};

}  // namespace sluice::impl
