// Service work in a container that has half of the processors, by a runtime that reads the quota and by one that has as
// many workers as the machine has processors: how much gets done, and how long a waiting task waits.

#include "../quota_group.hpp"
#include "service.hpp"

#include <cmath>
#include <thread>

namespace {

using clock_type = std::chrono::steady_clock;
using mailbox = sluice::queue<clock_type::time_point>;

enum class phase { before, measured, over };

/// Somebody outside of the container: puts the time every millisecond, and closes the box at the end.
void knock(const std::stop_token& stop, const std::atomic<phase>& now, mailbox& box, std::atomic<long>& knocks) {
  while (!stop.stop_requested() && now.load() != phase::over) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (now.load() != phase::measured) continue;
    knocks.fetch_add(1);
    if (!box.try_put(clock_type::now())) break;  // nobody has got anything for seconds: the counts differ then
  }
  box.close();
}

sluice::task<> answer(mailbox& box, std::vector<double>& late_us) {
  while (const auto sent = co_await box.next())
    late_us.push_back(std::chrono::duration<double, std::micro>(clock_type::now() - *sent).count());
}

sluice::task<std::int64_t> serve_until_done(long total, std::atomic<phase>& now) {
  const std::int64_t sum = co_await bench::serve(total);
  now.store(phase::over);
  co_return sum;
}

sluice::task<std::int64_t> serve_and_answer(long total, std::atomic<phase>& now, mailbox& box,
                                            std::vector<double>& late_us) {
  auto both = co_await sluice::when_all(serve_until_done(total, now), answer(box, late_us));
  co_return std::get<0>(both);
}

bench::reading under_quota(bench::effort e, std::size_t workers) {
  const long total = bench::scaled(e, bench::quota_total, bench::service_granule);
  const long warm_up = bench::scaled(bench::effort::warm_up, bench::service_total, bench::service_granule);
  const std::int64_t answer = bench::service_answer(total);
  const double quota = bench::processors() / 2.0;
  mailbox box(4096);
  std::atomic<phase> now{phase::before};
  std::atomic<long> knocks{0};
  std::vector<double> late_us;
  // Started before the group is entered, so it stays outside.
  const std::jthread outside([&](const std::stop_token& stop) { knock(stop, now, box, knocks); });
  const bench::quota_group group(quota);
  sluice::runtime runtime{{.workers = workers}};
  bench::check_equal("the warm-up", runtime.block_on(bench::serve(warm_up)), bench::service_answer(warm_up));
  const bench::stopwatch watch;
  now.store(phase::measured);
  const std::int64_t sum = runtime.block_on(serve_and_answer(total, now, box, late_us));
  bench::reading r = watch.millions_per_s(total);
  bench::check_equal("the sum of the handled items", sum, answer);
  bench::check_equal("the number of answers", static_cast<std::int64_t>(late_us.size()), knocks.load());
  const std::size_t most = workers != 0 ? workers : static_cast<std::size_t>(std::ceil(quota));
  bench::check_equal("the number of workers beyond what was asked or the quota allows", runtime.worker_count() > most,
                     0);
  r.extra = {{"p50_us", bench::quantile(late_us, 0.5)},
             {"p99_us", bench::quantile(late_us, 0.99)},
             {"processors_used", r.cpu_s / r.wall_s},
             {"throttled_percent", group.throttled_percent()}};
  return r;
}

bench::reading heeded(bench::effort e) { return under_quota(e, 0); }
bench::reading ignored(bench::effort e) { return under_quota(e, bench::processors()); }

const bool listed =
    bench::add("sluice", "quota.heeded", heeded, false) && bench::add("sluice", "quota.ignored", ignored, false);

}  // namespace
