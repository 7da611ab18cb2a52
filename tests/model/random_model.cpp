// The reduced search against the plain one, on small programs drawn at random: a sound reduction loses no outcome.
// Always the same programs, in the same order.

#include <sluice/model/engine.hpp>
#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace sluice::impl;
using model::run;
using sluice::impl::pause;  // not the one of <unistd.h>

class dice {
 public:
  explicit dice(std::uint64_t seed) : state_{seed} {}
  int below(int n) {  // splitmix64
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return static_cast<int>((z ^ z >> 31) % static_cast<unsigned>(n));
  }
  template <std::size_t N>
  order one_of(const order (&all)[N]) {
    return all[below(static_cast<int>(N))];
  }

 private:
  std::uint64_t state_;
};

enum class action { load, store, swap, add, exchange, weak_exchange, fence, wait, wake, spin, clock, read, write };

struct operation {
  action what;
  int where;
  std::uint32_t value;
  order success;
  order failure;
};

constexpr int max_threads = 3;
constexpr int max_operations = 4;
using thread = std::vector<operation>;

// What is drawn, with its weight out of a hundred. Plain accesses stay rare: most programs with them race.
action draw_action(dice& d, bool plain_data) {
  struct {
    int weight;
    action what;
  } const all[] = {{27, action::load},    {23, action::store},        {7, action::swap},  {8, action::add},
                   {9, action::exchange}, {3, action::weak_exchange}, {6, action::fence}, {6, action::wait},
                   {6, action::wake},     {4, action::spin},          {1, action::clock}};
  if (plain_data && d.below(4) == 0) return d.below(2) == 0 ? action::read : action::write;
  int n = d.below(100);
  for (const auto& a : all) {
    if ((n -= a.weight) < 0) return a.what;
  }
  return action::load;
}

operation draw_operation(dice& d, bool plain_data) {
  constexpr order loads[] = {relaxed, acquire, acquire, seq_cst};
  constexpr order stores[] = {relaxed, release, release, seq_cst};
  constexpr order both[] = {relaxed, acquire, release, acq_rel, seq_cst};
  operation o{draw_action(d, plain_data), d.below(2), 1u + static_cast<std::uint32_t>(d.below(3)), relaxed, relaxed};
  o.failure = d.one_of(loads);
  switch (o.what) {
    case action::load:
    case action::spin:
      o.success = d.one_of(loads);
      break;
    case action::store:
      o.success = d.one_of(stores);
      break;
    default:
      o.success = d.one_of(both);
  }
  return o;
}

// A word is never 0 again once it was changed: a spin ends if another thread surely changes the word.
bool surely_changes(const thread& t, int where) {
  for (const operation& o : t) {
    if (o.what == action::spin) return false;
    const bool changes = o.what == action::store || o.what == action::swap || o.what == action::add;
    if (changes && o.where == where) return true;
  }
  return false;
}

void make_spins_end(std::vector<thread>& threads) {
  for (thread& t : threads) {
    for (operation& o : t) {
      if (o.what != action::spin) continue;
      bool ends = false;
      for (const thread& other : threads) ends = ends || (&other != &t && surely_changes(other, o.where));
      if (!ends) o.what = action::load;
    }
  }
}

std::vector<thread> draw(std::uint64_t seed) {
  dice d{seed};
  const bool plain_data = d.below(8) == 0;
  std::vector<thread> threads(static_cast<std::size_t>(2 + d.below(2)));
  const int most = threads.size() == 2 ? max_operations : 3;  // plain search must end
  for (thread& t : threads) {
    for (int n = 2 + d.below(most - 1); n > 0; --n) t.push_back(draw_operation(d, plain_data));
  }
  make_spins_end(threads);
  return threads;
}

struct state {
  std::array<atomic<std::uint32_t>, 2> words;
  plain<int> data{0};
  std::uint32_t seen[max_threads][max_operations] = {};
};

// Does one operation; what it saw is a number below 11.
std::uint32_t perform(state& s, const operation& o) {
  auto& word = s.words[static_cast<std::size_t>(o.where)];
  switch (o.what) {
    case action::load:
      return word.load(o.success);
    case action::store:
      word.store(o.value, o.success);
      return 0;
    case action::swap:
      return word.exchange(o.value, o.success);
    case action::add:
      return word.fetch_add(1, o.success);
    case action::exchange:
    case action::weak_exchange: {
      std::uint32_t expected = o.value - 1;
      const bool done = o.what == action::exchange
                            ? word.compare_exchange_strong(expected, o.value, o.success, o.failure)
                            : word.compare_exchange_weak(expected, o.value, o.success, o.failure);
      return done ? 10 : expected;
    }
    case action::fence:
      fence(o.success);
      return 0;
    case action::wait:  // always with a deadline: what deadlocks ends the search
      return futex::wait_until(word, o.value - 1, time_point{std::chrono::hours{2}}) ? 1 : 0;
    case action::wake:
      futex::wake(word, static_cast<int>(o.value));
      return 0;
    case action::spin:
      for (;;) {
        if (const std::uint32_t value = word.load(o.success); value != 0) return value;
        pause();
      }
    case action::clock:
      return now() == time_point{std::chrono::hours{1}} ? 0 : 1;
    case action::read:
      return static_cast<std::uint32_t>(s.data.get());
    case action::write:
      s.data.set(1);
      return 0;
  }
  return 0;
}

// All that was seen, two numbers in one digit of the outcome, and how the words end.
void note(const state& s) {
  const auto pair = [&s](int t, int n) { return static_cast<int>(s.seen[t][n] * 11 + s.seen[t][n + 1]); };
  model::outcome({pair(0, 0), pair(0, 2), pair(1, 0), pair(1, 2), pair(2, 0), static_cast<int>(s.seen[2][2]),
                  static_cast<int>(s.words[0].load(relaxed) * 11 + s.words[1].load(relaxed))});
}

void set_up(run& r, const std::vector<thread>& threads) {
  auto& s = r.make<state>();
  for (std::size_t t = 0; t < threads.size(); ++t) {
    r.thread([&s, &threads, t] {
      for (std::size_t n = 0; n < threads[t].size(); ++n) s.seen[t][n] = perform(s, threads[t][n]);
    });
  }
  r.finally([&s] { note(s); });
}

std::string text(order o) {
  constexpr const char* names[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
  return names[static_cast<int>(o)];
}

// The program as a reader needs it to look for the fault: one line per thread.
std::string describe(const std::vector<thread>& threads) {
  constexpr const char* names[] = {"load",
                                   "store",
                                   "exchange",
                                   "fetch_add",
                                   "compare_exchange_strong",
                                   "compare_exchange_weak",
                                   "fence",
                                   "wait",
                                   "wake",
                                   "spin",
                                   "now",
                                   "read",
                                   "write"};
  std::string result;
  for (const thread& t : threads) {
    result += "\n   ";
    for (const operation& o : t) {
      result += " " + std::string(names[static_cast<int>(o.what)]) + "(" + (o.where == 0 ? "x" : "y") + ", " +
                std::to_string(o.value) + ", " + text(o.success) + ", " + text(o.failure) + ")";
    }
  }
  return result;
}

// Empty: both searches found the same.
std::string compare(std::uint64_t seed, std::uint64_t& executions) {
  const std::vector<thread> threads = draw(seed);
  const model::program::unlisted p{{.spurious = seed % 3 == 0 ? 1 : 0}, [&threads](run& r) { set_up(r, threads); }};
  model::engine e;
  model::limits how{.staleness = seed % 4 == 0 ? 2 : 1, .max = 300'000};
  const model::findings reduced = e.explore(p, how);
  how.sleep_sets = false;
  const model::findings all = e.explore(p, how);
  executions += reduced.executions + all.executions;
  if (all.how == model::findings::end::limit) return {};  // too large: it says nothing
  const std::string which = "Random program " + std::to_string(seed) + ": ";
  if (reduced.how != all.how) {
    return which + "one search ends with '" + reduced.sentence + "' and the plain one with '" + all.sentence + "'." +
           describe(threads);
  }
  if (all.how == model::findings::end::failed || reduced.outcomes == all.outcomes) return {};
  return which + "the plain search sees " + std::to_string(all.outcomes.size()) + " outcomes and the reduced one " +
         std::to_string(reduced.outcomes.size()) + "." + describe(threads);
}

// Interrupted again and again, and resumed by another checker each time: the same executions, the same outcomes.
std::string interrupt(std::uint64_t seed, std::uint64_t& executions) {
  const std::vector<thread> threads = draw(seed);
  const model::program::unlisted p{{}, [&threads](run& r) { set_up(r, threads); }};
  const model::limits how{.bound = seed % 2 == 0 ? 2 : -1, .max = 5'000};
  const model::findings whole = model::engine{}.explore(p, how);
  executions += whole.executions;
  model::interruption pauses;
  pauses.budget = 1 + whole.executions / 7;
  model::findings parts;
  int times = 0;
  do {
    model::engine e;
    parts = e.explore(p, how, &pauses);
    ++times;
  } while (parts.how == model::findings::end::paused);
  executions += parts.executions;
  if (parts.how == whole.how && parts.executions == whole.executions && parts.redundant == whole.redundant &&
      parts.outcomes == whole.outcomes && (times > 1 || whole.executions < 2)) {
    return {};
  }
  return "Random program " + std::to_string(seed) + ", resumed " + std::to_string(times - 1) +
         " times: " + std::to_string(parts.executions) + " executions instead of " + std::to_string(whole.executions) +
         "." + describe(threads);
}

// The first answer that is not empty.
model::program::examination for_all(std::uint64_t programs, std::string (*test)(std::uint64_t, std::uint64_t&)) {
  return [=](std::uint64_t& executions) -> std::string {
    for (std::uint64_t seed = 1; seed <= programs; ++seed) {
      std::string wrong = test(seed, executions);
      if (!wrong.empty()) return wrong;
    }
    return {};
  };
}

const model::program reduction{"checker: 2000 random programs, reduced search against plain search",
                               for_all(2000, compare)};
const model::program resumption{"checker: 500 random programs, interrupted and resumed search against a whole one",
                                for_all(500, interrupt)};

}  // namespace
