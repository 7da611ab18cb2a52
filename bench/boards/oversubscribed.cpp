// Many more workers than processors, beside as many as processors: what does the crowd cost?

#include "../crowd.hpp"
#include "service.hpp"

namespace {

sluice::runtime& runtime_of(bool crowded) {
  static sluice::runtime many{{.workers = bench::crowd}};
  return crowded ? many : bench::shared_runtime();
}

sluice::task<std::int64_t> fib(int n) {
  if (n < 2) co_return n;
  auto both = co_await sluice::when_all(fib(n - 1), fib(n - 2));
  co_return std::get<0>(both) + std::get<1>(both);
}

bench::reading fib_board(bench::effort e) {
  const int n = bench::crowd_fib_size(e);
  return bench::race_crowd(e, bench::fib_calls(n), [n](bool crowded) {
    bench::check_equal("fib(n)", runtime_of(crowded).block_on(fib(n)), bench::fib_value(n));
  });
}

bench::reading queue_board(bench::effort e) {
  const long total = bench::scaled(e, bench::service_total, bench::service_granule);
  const std::int64_t answer = bench::service_answer(total);
  return bench::race_crowd(e, total, [=](bool crowded) {
    const std::int64_t sum = runtime_of(crowded).block_on(bench::serve(total));
    bench::check_equal("the sum of the handled items", sum, answer);
  });
}

const bool listed =
    bench::add("sluice", "oversubscribed.fib", fib_board) && bench::add("sluice", "oversubscribed.queue", queue_board);

}  // namespace
