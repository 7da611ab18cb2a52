#pragma once
// Which mutants of the library the models notice.

#include <sluice/model/program.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace model {

struct mutant_hunt {
  std::string site;       ///< only mutants whose FILE:LINE begins with this
  std::uint64_t max = 0;  ///< executions per search
  int jobs = 1;           ///< child processes side by side
  void (*prepare)();      ///< called in every child: handlers that make a crash a failure
};

/// Searches all mutants of the library's operations with the programs that reach them and prints, in fields separated
/// by tabs: `site FILE LINE COLUMN ACCESS ORDERS PROGRAMS` per operation that a thread of a program reaches, and
/// `mutant FILE LINE COLUMN ACCESS CHANGE killed|survived PROGRAM-OR-SUMMARY SENTENCE` per mutant. 0 if all went well, whatever
/// survived.
int search_mutants(const std::vector<const program*>& programs, const mutant_hunt& hunt);

}  // namespace model
