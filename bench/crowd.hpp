#pragma once
// The same work in turns by as many workers as processors and by a crowd of them.

#include "sizes.hpp"

#include <utility>

namespace bench {

/// Calls run(false) for the matching number of workers and run(true) for the crowd, `crowd_turns` times each, the order
/// changing from turn to turn; each call does `items` items and checks its answer. The value is the goodput of the
/// crowd in per cent of the other; items, times and CPU time are the crowd's.
template <class Run>
reading race_crowd(effort e, long items, Run run) {
  if (processors() >= crowd) throw skip("this machine has so many processors that 64 workers are no crowd on them");
  const int turns = e == effort::warm_up ? 1 : crowd_turns;
  reading r{.unit = "%", .items = static_cast<double>(items * turns)};
  double matched_s = 0, matched_cpu_s = 0;
  for (int turn = 0; turn < 2 * turns; ++turn) {
    const bool crowded = turn % 4 == 1 || turn % 4 == 2;
    const stopwatch watch;
    run(crowded);
    (crowded ? r.wall_s : matched_s) += watch.wall_s();
    (crowded ? r.cpu_s : matched_cpu_s) += watch.cpu_s();
  }
  r.value = 100 * matched_s / r.wall_s;
  const double millions = r.items * 1e-6;
  r.extra = {{"matched_m_s", millions / matched_s},
             {"crowd_m_s", millions / r.wall_s},
             {"matched_m_cpu_s", millions / matched_cpu_s},
             {"crowd_m_cpu_s", millions / r.cpu_s}};
  return r;
}

}  // namespace bench
