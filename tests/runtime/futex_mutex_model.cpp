// The lock: exclusion, and no sleeper is forgotten.
#include <sluice/model/program.hpp>
#include <sluice/runtime/futex_mutex.hpp>

namespace {

using namespace sluice::impl;

void exclusion(model::run& r) {
  struct guarded {
    futex_mutex mutex;
    plain<int> count{0};
  };
  auto& s = r.make<guarded>();
  for (int i = 0; i < 3; ++i) {
    r.thread([&s] {
      const locked hold(s.mutex);
      s.count.set(s.count.get() + 1);
    });
  }
  r.finally([&s] { model::check(s.count.get() == 3, "Each held it once."); });
}

const model::program lock{"futex mutex: three threads", {}, exclusion};

}  // namespace
