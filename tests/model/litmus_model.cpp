// Litmus programs: the known answers of the C++20 memory model, as exact sets of outcomes.

#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

namespace {

using namespace sluice::impl;

struct two {
  atomic<int> x{0};
  atomic<int> y{0};
  int a = -1;
  int b = -1;
};

auto store_buffering(order stores, order loads, bool fences) {
  return [=](model::run& r) {
    auto& s = r.make<two>();
    r.thread([=, &s] {
      s.x.store(1, stores);
      if (fences) fence(seq_cst);
      s.a = s.y.load(loads);
    });
    r.thread([=, &s] {
      s.y.store(1, stores);
      if (fences) fence(seq_cst);
      s.b = s.x.load(loads);
    });
    r.finally([&s] { model::outcome({s.a, s.b}); });
  };
}

const model::options all_four{.outcomes = {"00", "01", "10", "11"}, .cross_check = true};
const model::options not_both_zero{.outcomes = {"01", "10", "11"}, .cross_check = true};

const model::program sb_relaxed{"litmus: SB relaxed", all_four, store_buffering(relaxed, relaxed, false)};
const model::program sb_acq_rel{"litmus: SB release/acquire", all_four, store_buffering(release, acquire, false)};
const model::program sb_seq_cst{"litmus: SB seq_cst", not_both_zero, store_buffering(seq_cst, seq_cst, false)};
const model::program sb_fences{"litmus: SB seq_cst fences", not_both_zero, store_buffering(relaxed, relaxed, true)};

}  // namespace
