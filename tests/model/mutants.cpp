// See mutants.hpp. First every program runs as it stands and notes the operations that it reaches; then each mutant of each
// operation is searched by the programs that reach it, the quick ones first, until one fails. Each in a child process.

#include <sluice/model/engine.hpp>
#include <sluice/model/mutants.hpp>
#include <sluice/model/mutation.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace model {
namespace {

constexpr std::uint32_t max_sites = 512;  // of one program

// What a program's run as it stands left behind.
struct survey {
  double seconds;
  bool passed;
  std::uint32_t reached;
  access_site sites[max_sites];
};

struct hit {
  access_site of;
  std::vector<std::size_t> programs;
};

// What became of a mutant: written by its child process.
struct fate {
  bool killed;
  bool whole;  // it ended, so `killed` is valid
  std::uint32_t exhaustive;
  char program[80];
  char sentence[160];
};

template <class T>
T* share(std::size_t count) {
  void* memory = ::mmap(nullptr, std::max<std::size_t>(count, 1) * sizeof(T), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("model: no shared memory");
    std::exit(2);
  }
  return static_cast<T*>(memory);
}

// work(i) for all i below count, each in a child process, `jobs` at a time; then done(i) here.
void in_children(std::size_t count, int jobs, const std::function<void(std::size_t)>& work,
                 const std::function<void(std::size_t)>& done) {
  std::vector<std::pair<pid_t, std::size_t>> running;
  for (std::size_t next = 0; next < count || !running.empty();) {
    if (next < count && running.size() < static_cast<std::size_t>(jobs)) {
      std::fflush(stdout);
      const pid_t pid = ::fork();
      if (pid < 0) {
        std::perror("model: fork");
        std::exit(2);
      }
      if (pid == 0) {
        work(next);
        std::_Exit(0);
      }
      running.emplace_back(pid, next++);
      continue;
    }
    const pid_t pid = ::wait(nullptr);
    const auto ended = std::find_if(running.begin(), running.end(), [pid](const auto& r) { return r.first == pid; });
    if (ended == running.end()) continue;
    done(ended->second);
    running.erase(ended);
  }
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Unbounded if that ends within `share` executions, else with more and more preemptions. Stops at the first failure.
findings search_within(engine& e, const program& p, std::uint64_t share, double seconds) {
  limits l;
  l.seconds = seconds;
  l.staleness = p.how().staleness >= 0 ? p.how().staleness : 1;
  l.bound = p.how().bound;
  l.max = share;
  findings f = e.explore(p, l);
  if (f.how != findings::end::limit || p.how().bound >= 0) return f;
  for (l.bound = 1; l.bound <= 2 && f.how != findings::end::failed; ++l.bound) {
    f = e.explore(p, l);
    if (f.how == findings::end::limit) break;
  }
  if (f.how == findings::end::exhausted) f.how = findings::end::limit;  // within the bound only
  return f;
}

bool before(const access_site& a, const access_site& b) {
  const int files = std::strcmp(library_path(a.where.file), library_path(b.where.file));
  if (files != 0) return files < 0;
  if (a.where.line != b.where.line) return a.where.line < b.where.line;
  if (a.where.column != b.where.column) return a.where.column < b.where.column;
  return a.what < b.what;
}

std::vector<order> one_step_weaker(order o, access what) {
  switch (o) {
    case order::seq_cst:
      if (what == access::load) return {order::acquire};
      if (what == access::store) return {order::release};
      return {order::acq_rel};
    case order::acq_rel:
      return {order::acquire, order::release};
    case order::acquire:
    case order::consume:
    case order::release:
      return {order::relaxed};
    case order::relaxed:
      break;
  }
  return {};
}

std::vector<mutant> mutants_of(const access_site& s) {
  std::vector<mutant> all;
  if (s.what != access::wake && s.what != access::step) {
    for (const order o : one_step_weaker(s.success, s.what)) all.push_back({s, spoiling::weaker, o});
  }
  if (s.what == access::exchange_if) {
    for (const order o : one_step_weaker(s.failure, access::load)) all.push_back({s, spoiling::weaker_failure, o});
  }
  all.push_back({s, s.what == access::load ? spoiling::blind : spoiling::dropped, order::relaxed});
  return all;
}

const char* text(access a) {
  static constexpr const char* names[] = {"load", "store", "rmw", "cas", "wake", "step"};
  return names[static_cast<int>(a)];
}
const char* text(order o) {
  static constexpr const char* names[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
  return names[static_cast<int>(o)];
}

std::string change(const mutant& m) {
  switch (m.how) {
    case spoiling::weaker:
      return std::string(text(m.of.success)) + "->" + text(m.to);
    case spoiling::weaker_failure:
      return std::string("failure ") + text(m.of.failure) + "->" + text(m.to);
    case spoiling::blind:
      return "blind";
    case spoiling::dropped:
      return m.of.what == access::step ? "left out" : "dropped";
  }
  return "";
}

std::string place(const access_site& s, char separator) {
  return library_path(s.where.file) + std::string(1, separator) + std::to_string(s.where.line) + separator +
         std::to_string(s.where.column) + separator + text(s.what);
}

std::vector<hit> collect(const std::vector<const program*>& programs, const survey* surveys) {
  std::vector<hit> hits;
  for (std::size_t p = 0; p < programs.size(); ++p) {
    for (std::uint32_t i = 0; i < surveys[p].reached; ++i) {
      const access_site& s = surveys[p].sites[i];
      auto at = std::lower_bound(hits.begin(), hits.end(), s,
                                 [](const hit& h, const access_site& x) { return before(h.of, x); });
      if (at == hits.end() || before(s, at->of)) at = hits.insert(at, {s, {}});
      at->programs.push_back(p);
    }
  }
  for (hit& h : hits) {
    std::sort(h.programs.begin(), h.programs.end(),
              [&](std::size_t a, std::size_t b) { return surveys[a].seconds < surveys[b].seconds; });
  }
  return hits;
}

// A short search with every program first: most mutants do not survive that.
void judge(const mutant& m, const std::vector<const program*>& programs, const std::vector<std::size_t>& which,
           std::uint64_t max, fate& result) {
  const rlim_t seconds =
      400 + max / 1000;  // of processor time: a mutant may turn without end where no operation is counted
  const rlimit end{seconds, seconds};
  ::setrlimit(RLIMIT_CPU, &end);
  mutation::activate(&m);
  engine e;
  std::vector<std::size_t> left = which;
  for (const std::uint64_t share : {std::min<std::uint64_t>(20'000, max), max}) {
    std::vector<std::size_t> again;
    for (const std::size_t p : left) {
      const findings f = search_within(e, *programs[p], share, 20);
      if (f.how == findings::end::failed) {
        result.killed = result.whole = true;
        std::snprintf(result.program, sizeof(result.program), "%s", programs[p]->name());
        std::snprintf(result.sentence, sizeof(result.sentence), "%s", f.sentence.c_str());
        return;
      }
      if (f.how == findings::end::limit) again.push_back(p);
    }
    left = again;
  }
  result.exhaustive = static_cast<std::uint32_t>(which.size() - left.size());
  result.whole = true;
}

}  // namespace

int search_mutants(const std::vector<const program*>& all, const mutant_hunt& hunt) {
  std::vector<const program*> programs;
  for (const program* p : all) {
    const bool of_the_library = std::strstr(p->file(), "tests/model/") == nullptr;
    if (of_the_library && p->how().must_fail == nullptr) programs.push_back(p);
  }
  auto* surveys = share<survey>(programs.size());
  const auto look = [&](std::size_t i) {
    hunt.prepare();
    mutation::note_sites(surveys[i].sites, max_sites, &surveys[i].reached);
    engine e;
    const double start = processor_seconds();
    surveys[i].passed = search_within(e, *programs[i], 50'000, 4).how != findings::end::failed;
    surveys[i].seconds = processor_seconds() - start;
  };
  in_children(programs.size(), hunt.jobs, look, [](std::size_t) {});
  for (std::size_t i = 0; i < programs.size(); ++i) {
    if (surveys[i].passed && surveys[i].reached < max_sites) continue;
    std::fprintf(stderr, "model: '%s' does not pass as it stands; repair it first.\n", programs[i]->name());
    return 1;
  }
  std::vector<mutant> mutants;
  std::vector<const hit*> hit_of;
  const std::vector<hit> hits = collect(programs, surveys);
  for (const hit& h : hits) {
    std::string orders = text(h.of.success);
    if (h.of.what == access::exchange_if) orders += std::string(", ") + text(h.of.failure);
    std::printf("site\t%s\t%s\t%zu\n", place(h.of, '\t').c_str(), orders.c_str(), h.programs.size());
    if (!place(h.of, ':').starts_with(hunt.site)) continue;
    for (const mutant& m : mutants_of(h.of)) {
      mutants.push_back(m);
      hit_of.push_back(&h);
    }
  }
  auto* fates = share<fate>(mutants.size());
  const auto search = [&](std::size_t i) {
    hunt.prepare();
    judge(mutants[i], programs, hit_of[i]->programs, hunt.max, fates[i]);
  };
  const auto tell = [&](std::size_t i) {
    const fate& f = fates[i];
    const bool killed = f.killed || !f.whole;  // a child that died without a word was killed by its mutant
    std::printf("mutant\t%s\t%s\t%s\t", place(mutants[i].of, '\t').c_str(), change(mutants[i]).c_str(),
                killed ? "killed" : "survived");
    if (killed) {
      std::printf("%s\t%s\n", f.program, f.killed ? f.sentence : "The search died, or did not end.");
    } else {
      std::printf("%u of %zu programs exhaustive\t\n", f.exhaustive, hit_of[i]->programs.size());
    }
    std::fflush(stdout);
  };
  in_children(mutants.size(), hunt.jobs, search, tell);
  return 0;
}

}  // namespace model
