// Timers in bulk, how late a short sleep is, and how soon a waiting task runs after a put.

#include "../thread_boards.hpp"
#include "shared_runtime.hpp"

#include <random>
#include <thread>

namespace {

using clock_type = std::chrono::steady_clock;
using milliseconds = std::chrono::duration<double, std::milli>;
using microseconds = std::chrono::duration<double, std::micro>;

sluice::task<> sleeper(clock_type::duration delay, double& late_ms) {
  const auto due = clock_type::now() + delay;
  co_await sluice::sleep_until(due);
  late_ms = milliseconds(clock_type::now() - due).count();
}

sluice::task<> sleep_all(const std::vector<clock_type::duration>& delays, std::vector<double>& late_ms) {
  auto spawn_all = [&](sluice::task_group& group) -> sluice::task<> {
    for (std::size_t i = 0; i < delays.size(); ++i) group.spawn(sleeper(delays[i], late_ms[i]));
    co_return;
  };
  co_await sluice::with_group(spawn_all);
}

/// Tasks that each sleep a random 1 to 1000 ms: the CPU time of all of them, and how late they woke. The number is the
/// same at every effort, because the figure is for all of them.
template <long Total>
bench::reading timers(bench::effort) {
  sluice::runtime& runtime = bench::shared_runtime();
  std::mt19937_64 random(7);
  std::uniform_int_distribution<long> nanoseconds(1'000'000, 1'000'000'000);
  std::vector<clock_type::duration> delays;
  for (long i = 0; i < Total; ++i) delays.push_back(std::chrono::nanoseconds(nanoseconds(random)));
  std::vector<double> late_ms(Total, -1);
  const bench::stopwatch watch;
  runtime.block_on(sleep_all(delays, late_ms));
  bench::reading r = watch.ns_per_item(Total);
  r.value = r.cpu_s;
  r.unit = "CPU s";
  bench::check_equal("the number of tasks that woke before their time", bench::quantile(late_ms, 0) < 0, 0);
  r.extra = {{"p50_ms", bench::quantile(late_ms, 0.5)}, {"p99_ms", bench::quantile(late_ms, 0.99)}};
  return r;
}

template <bool Precise>
sluice::task<> sleep_in_a_row(std::chrono::microseconds wait, long total, std::vector<double>& late_us) {
  for (long i = 0; i < total; ++i) {
    const auto due = clock_type::now() + wait;
    if constexpr (Precise) {
      co_await sluice::sleep_until(due, sluice::precise);
    } else {
      co_await sluice::sleep_until(due);
    }
    late_us.push_back(microseconds(clock_type::now() - due).count());
  }
}

/// A task sleeps for `Wait` us again and again: how late it wakes, and the CPU time of it all.
template <bool Precise, long Wait>
bench::reading short_sleep(bench::effort e) {
  const long total = bench::scaled(e, bench::wake_total);
  sluice::runtime& runtime = bench::shared_runtime();
  std::vector<double> late_us;
  const bench::stopwatch watch;
  runtime.block_on(sleep_in_a_row<Precise>(std::chrono::microseconds(Wait), total, late_us));
  bench::reading r = watch.ns_per_item(total);
  bench::check_equal("the number of sleeps", static_cast<std::int64_t>(late_us.size()), total);
  bench::check_equal("the number of sleeps that were over before their time", bench::quantile(late_us, 0) < 0, 0);
  r.value = bench::quantile(late_us, 0.5);
  r.unit = "us";
  r.extra = {{"p50_us", r.value}, {"p99_us", bench::quantile(late_us, 0.99)}};
  return r;
}

using mailbox = sluice::queue<clock_type::time_point>;

sluice::task<> receive(mailbox& box, long total, std::vector<double>& late_us) {
  for (long i = 0; i < total; ++i) {
    const clock_type::time_point sent = co_await box.get();
    late_us.push_back(microseconds(clock_type::now() - sent).count());
  }
}

sluice::task<> send(mailbox& box, long total) {
  for (long i = 0; i < total; ++i) {
    co_await sluice::sleep_for(std::chrono::milliseconds(1));
    co_await box.put(clock_type::now());
  }
}

sluice::task<> send_and_receive(long total, std::vector<double>& late_us) {
  mailbox box(16);
  co_await sluice::when_all(receive(box, total, late_us), send(box, total));
}

/// A task sleeps a millisecond and puts the time; another that waits in get() looks how old it is.
bench::reading wake_timer(bench::effort e) {
  const long total = bench::scaled(e, bench::wake_total);
  sluice::runtime& runtime = bench::shared_runtime();
  std::vector<double> late_us;
  const bench::stopwatch watch;
  runtime.block_on(send_and_receive(total, late_us));
  return bench::wake_reading(watch.ns_per_item(total), late_us, total);
}

/// The same, but a plain thread puts, and the runtime sleeps meanwhile.
bench::reading wake_thread(bench::effort e) {
  const long total = bench::scaled(e, bench::wake_total);
  sluice::runtime& runtime = bench::shared_runtime();
  mailbox box(16);
  std::vector<double> late_us;
  const bench::stopwatch watch;
  std::thread sender([&] {
    for (long i = 0; i < total; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      box.blocking_put(clock_type::now());
    }
  });
  runtime.block_on(receive(box, total, late_us));
  sender.join();
  return bench::wake_reading(watch.ns_per_item(total), late_us, total);
}

/// A plain thread that waits in blocking_get().
struct thread_mailbox : sluice::queue<long> {
  using queue::queue;
  void put(long item) { blocking_put(item); }
  long get() { return blocking_get(); }
};

const bool listed = bench::add("sluice", "timers.100k", timers<100'000>, false) &&
                    bench::add("sluice", "timers.1M", timers<1'000'000>, false) &&
                    bench::add("sluice", "sleep.50us", short_sleep<false, 50>, false) &&
                    bench::add("sluice", "sleep.200us", short_sleep<false, 200>, false) &&
                    bench::add("sluice", "sleep.precise.50us", short_sleep<true, 50>, false) &&
                    bench::add("sluice", "sleep.precise.200us", short_sleep<true, 200>, false) &&
                    bench::add("sluice", "wake.timer", wake_timer, false) &&
                    bench::add("sluice", "wake.thread", wake_thread, false) &&
                    bench::add("sluice", "wake.blocking", bench::thread_wake<thread_mailbox>, false);

}  // namespace
