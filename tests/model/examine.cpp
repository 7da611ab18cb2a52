// One program: which searches, and whether what they found is the right answer.

#include <sluice/model/runner.hpp>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace model {
namespace {

// A quick run of everything stays within minutes: so many executions per search, most of them for the first bound, which is the
// least that should be proved; and so much processor time, where executions are long.
constexpr std::uint64_t quick_share = 80'000;
constexpr std::uint64_t quick_first_bound = 400'000;
constexpr double quick_seconds = 8;

struct phase {
  limits how;
  std::string proves;
};

// Unbounded if that ends within its share of executions, else bound after bound: the most that can be said for the time.
std::vector<phase> plan(const program& p, const request& a) {
  std::vector<phase> phases;
  limits l = base_limits(p, a);
  const int bound = a.bound >= 0 ? a.bound : p.how().bound;
  const std::uint64_t asked = a.max != 0 ? a.max : p.how().max;
  if (bound < 0) {
    l.max = asked != 0 ? asked : a.nightly ? 50'000'000 : quick_share;
    phases.push_back({l, "exhaustive"});
  }
  const int last = bound >= 0 ? bound : a.nightly ? 3 : 2;
  const int first = bound >= 0 ? bound : 1;
  for (l.bound = first; l.bound <= last; ++l.bound) {
    l.max = asked != 0 ? asked : a.nightly ? 200'000'000 : l.bound == first ? quick_first_bound : quick_share;
    phases.push_back({l, "bound " + std::to_string(l.bound)});
  }
  return phases;
}

// Goes on where `r` stands, and keeps r up to date; without one it begins at the beginning.
findings search_program(engine& e, const program& p, const request& a, const keeping* keep, record& r) {
  const std::vector<phase> phases = plan(p, a);
  const std::uint64_t begin = r.executions();
  const std::uint64_t ever = r.ever;
  findings f;
  if (r.how.empty()) r.how = "limit";
  for (; r.phase < phases.size(); ++r.phase) {
    const phase& now = phases[r.phase];
    interruption pauses{r.at, 0, nullptr, {}};
    if (keep != nullptr) {
      pauses.stop = keep->stop;
      const std::uint64_t used = r.executions() - begin;
      if (a.budget != 0) pauses.budget = a.budget > used ? a.budget - used : 1;
      pauses.save = [&] {
        r.at = pauses.at;
        r.ever = ever + r.executions() - begin;
        (void)keep->folder->save(r);  // once more at the end, where a failure is told
      };
    }
    f = e.explore(p, now.how, &pauses);
    r.at = pauses.at;
    r.at.executions = f.executions;
    r.at.redundant = f.redundant;
    r.ever = ever + r.executions() - begin;
    if (f.how == findings::end::paused || f.how == findings::end::astray) break;
    if (f.how != findings::end::limit) r.how = now.proves;
    const bool unbounded = now.how.bound < 0;
    if (f.how == findings::end::failed || unbounded != (f.how == findings::end::limit)) break;
    if (r.phase + 1 == phases.size()) break;
    r.before += f.executions;
    r.at = {};
  }
  return f;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const auto& t : texts) result += (result.empty() ? "" : " ") + t;
  return "{" + result + "}";
}

// Empty: the program's answer is right. Otherwise a sentence that says what is wrong.
std::string judge(engine& e, const program& p, const request& a, const findings& f) {
  const options& o = p.how();
  const bool failed = f.how == findings::end::failed;
  if (f.how == findings::end::astray) {
    return "The program does not repeat itself: the same choices led elsewhere. It must depend on nothing but what it "
           "reads through the door.";
  }
  if (o.must_fail != nullptr) {
    if (!failed) return "This canary must fail, but no failure was found.";
    if (f.sentence.find(o.must_fail) == std::string::npos) {
      return "This canary must fail with '" + std::string(o.must_fail) + "', but it failed with: " + f.sentence;
    }
  } else if (failed) {
    return f.sentence;
  }
  if (failed && e.replay(p, base_limits(p, a), f.choices).sentence != f.sentence) {
    return "The choices do not repeat the failure: a fault of the checker.";
  }
  if (!o.outcomes.empty()) {
    auto expected = o.outcomes;
    std::sort(expected.begin(), expected.end());
    if (expected != f.outcomes) {
      return "The outcomes must be " + joined(expected) + ", but are " + joined(f.outcomes) + ".";
    }
  }
  if (o.cross_check) {
    limits l = base_limits(p, a);
    l.sleep_sets = false;
    l.max = 20'000'000;
    const findings plain = e.explore(p, l);
    if (plain.how == findings::end::limit) return "The cross-check without sleep sets did not end.";
    if (plain.how != f.how || (!failed && plain.outcomes != f.outcomes)) {
      return "The search without sleep sets disagrees: outcomes " + joined(plain.outcomes) + " against " +
             joined(f.outcomes) + ". " + plain.sentence;
    }
  }
  return {};
}

void print_failure(const program& p, int staleness, const findings& f) {
  if (f.how != findings::end::failed) return;
  std::printf("  %s\n%s", f.sentence.c_str(), f.trace.c_str());
  std::printf("  repeat with: tools/model '%s' --staleness %d --replay '%s'\n", p.name(), staleness, f.choices.c_str());
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void print(const program& p, const verdict& v) {
  const char* word = v.is == verdict::answer::passed ? "ok  " : v.is == verdict::answer::left ? "left" : "FAIL";
  std::printf("%s %-58s %11llu executions  %-16s %7.2f s\n", word, p.name(),
              static_cast<unsigned long long>(v.executions), v.how, v.seconds);
}

// Keeps what is done and where the rest stands; a program that failed is searched again by the next run.
void keep_record(const keeping& keep, record& r, const verdict& v) {
  r.done = v.is == verdict::answer::passed;
  if (v.is == verdict::answer::failed) r.begin_anew(r.fingerprint);
  if (r.done) r.at.trail.clear();
  const std::string wrong = keep.folder->save(r);
  if (!wrong.empty()) std::printf("  %s\n", wrong.c_str());
}

}  // namespace

limits base_limits(const program& p, const request& a) {
  limits l;
  l.seconds = a.nightly ? 0 : quick_seconds;
  l.staleness = a.staleness >= 0 ? a.staleness : p.how().staleness >= 0 ? p.how().staleness : a.nightly ? 2 : 1;
  return l;
}

verdict examine(const program& p, const request& a, const keeping* keep) {
  verdict v{};
  record kept_nowhere;
  record& r = keep != nullptr ? *keep->of : kept_nowhere;
  const std::uint64_t begin = r.executions();
  std::string wrong;
  findings f;
  const double start = processor_seconds();
  if (p.examine()) {
    r.begin_anew(r.fingerprint);
    wrong = p.examine()(r.at.executions);
    r.how = "checked";
    r.ever += r.executions();
    v.in_this_run = r.executions();
    v.seconds = processor_seconds() - start;
  } else {
    engine e;
    f = search_program(e, p, a, keep, r);
    v.in_this_run = r.executions() - begin;
    v.seconds = processor_seconds() - start;
    if (f.how != findings::end::paused) wrong = judge(e, p, a, f);
  }
  v.is = !wrong.empty()                   ? verdict::answer::failed
         : f.how == findings::end::paused ? verdict::answer::left
                                          : verdict::answer::passed;
  v.executions = r.executions();
  if (v.is == verdict::answer::passed && p.how().must_fail != nullptr) r.how = "bug found";
  std::snprintf(v.how, sizeof(v.how), "%s", v.is == verdict::answer::left ? "to be resumed" : r.how.c_str());
  print(p, v);
  if (!wrong.empty()) {
    std::printf("  %s\n", wrong.c_str());
    print_failure(p, base_limits(p, a).staleness, f);
  }
  if (keep != nullptr) keep_record(*keep, r, v);
  return v;
}

int replay(const program& p, const request& a, const std::string& choices) {
  install_handlers();
  engine e;
  const findings f = e.replay(p, base_limits(p, a), choices);
  std::printf("%s\n%s", p.name(), f.trace.c_str());
  std::printf("%s\n", f.how == findings::end::failed ? f.sentence.c_str() : "This execution does not fail.");
  return f.how == findings::end::failed ? 1 : 0;
}

}  // namespace model
