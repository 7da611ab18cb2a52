#pragma once
// Mutants of the library: the same code with one memory order a step weaker, or with one step left out. They are made
// where the door's operations arrive, by their site, so nothing is built again.
//
//   weaker   seq_cst -> acquire, release or acq_rel; acq_rel -> acquire and -> release; acquire, release -> relaxed
//   blind    the load reads once more what its thread knew of the location: a re-check that is left out
//   dropped  the store, the write of the read-modify-write, or the wake does not happen
//   left out the statement does not happen: in a copy of the sources in which each asks kept() (tools/mutate)
//
// A model that passes for a mutant does not show what that order or step is for.

#include <sluice/model/hooks.hpp>

#include <cstdint>

namespace model {

enum class access : std::uint8_t { load, store, modify, exchange_if, wake, step };
enum class spoiling : std::uint8_t { weaker, weaker_failure, blind, dropped };

/// An operation of the library as it stands in the source.
struct access_site {
  site where;
  access what = access::load;
  order success = order::relaxed;
  order failure = order::relaxed;  // of exchange_if
};

struct mutant {
  access_site of;
  spoiling how = spoiling::weaker;
  order to = order::relaxed;  // of weaker, weaker_failure
};

/// How an operation is done under the active mutant.
struct treatment {
  order success;
  order failure;
  bool spoilt = false;  // blind, dropped
};

/// Told of every operation while a mutant is active or sites are being noted.
class mutation {
 public:
  /// From now on operations at the site of `m` are done as it says. Null: as they stand.
  static void activate(const mutant* m) noexcept;
  /// From now on the library's sites are written to `to`, up to `room` of them, each once; `reached` counts.
  static void note_sites(access_site* to, std::uint32_t room, std::uint32_t* reached) noexcept;

  static treatment treat(access what, site where, order success, order failure = order::relaxed) noexcept {
    if (!watching_) [[likely]]
      return {success, failure};
    return treat_watched({where, what, success, failure});
  }

 private:
  static treatment treat_watched(const access_site& s) noexcept;
  static bool watching_;
};

/// "queues/ring.hpp" of a path that leads into the library, null of any other.
const char* library_path(const char* file) noexcept;

}  // namespace model
