// Litmus programs: the checker's own test against known answers of the C++20 memory model. Most state the exact set
// of outcomes (the values read, in order of the threads, then final values); the others carry plain data, which
// races unless the orders are right. All are searched with and without reductions.

#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

namespace {

using namespace sluice::impl;
using model::options;
using model::program;
using model::run;

struct state {
  atomic<int> x{0};
  atomic<int> y{0};
  atomic<int> z{0};
  plain<int> data{0};
  int a = 0;
  int b = 0;
  int c = 0;
  int d = 0;
};

options seen(std::vector<std::string> outcomes) { return {.outcomes = std::move(outcomes), .cross_check = true}; }
const options races{.must_fail = "Data race", .cross_check = true};
const options passes{.cross_check = true};

// All outcomes of `bits` binary digits except one.
options all_but(std::string_view forbidden, int bits) {
  options o{.cross_check = true};
  for (int n = 0; n < 1 << bits; ++n) {
    std::string text;
    for (int i = bits - 1; i >= 0; --i) text += (n >> i & 1) != 0 ? '1' : '0';
    if (text != forbidden) o.outcomes.push_back(text);
  }
  return o;
}

// ---- Store buffering: may both threads miss the other's store? -----------------------------------------------------

enum class between { nothing, one_fence, two_fences, swap_of_one_word };

auto store_buffering(order stores, order loads, between what = between::nothing) {
  return [=](run& r) {
    auto& s = r.make<state>();
    const auto middle = [=, &s](bool first) {
      if (what == between::two_fences || (what == between::one_fence && first)) fence(seq_cst);
      if (what == between::swap_of_one_word) s.z.exchange(0, acq_rel);
    };
    r.thread([=, &s] {
      s.x.store(1, stores);
      middle(true);
      s.a = s.y.load(loads);
    });
    r.thread([=, &s] {
      s.y.store(1, stores);
      middle(false);
      s.b = s.x.load(loads);
    });
    r.finally([&s] { model::outcome({s.a, s.b}); });
  };
}

const program sb_1{"litmus: SB, relaxed", all_but("", 2), store_buffering(relaxed, relaxed)};
const program sb_2{"litmus: SB, release and acquire", all_but("", 2), store_buffering(release, acquire)};
const program sb_3{"litmus: SB, seq_cst", all_but("00", 2), store_buffering(seq_cst, seq_cst)};
const program sb_4{"litmus: SB, release store before seq_cst load", all_but("", 2), store_buffering(release, seq_cst)};
const program sb_5{"litmus: SB, seq_cst store before relaxed load", all_but("", 2), store_buffering(seq_cst, relaxed)};
const program sb_6{"litmus: SB, relaxed with two seq_cst fences", all_but("00", 2),
                   store_buffering(relaxed, relaxed, between::two_fences)};
const program sb_7{"litmus: SB, relaxed with one seq_cst fence", all_but("", 2),
                   store_buffering(relaxed, relaxed, between::one_fence)};
const program sb_8{"litmus: SB, seq_cst accesses against one seq_cst fence", all_but("00", 2),
                   store_buffering(seq_cst, seq_cst, between::one_fence)};
const program sb_9{"litmus: SB, both swap the same word in between", all_but("00", 2),
                   store_buffering(relaxed, relaxed, between::swap_of_one_word)};

const program sb_10{"litmus: SB, one side fenced relaxed, the other seq_cst", all_but("00", 2), [](run& r) {
                      auto& s = r.make<state>();
                      r.thread([&s] {
                        s.x.store(1, relaxed);
                        fence(seq_cst);
                        s.a = s.y.load(relaxed);
                      });
                      r.thread([&s] {
                        s.y.store(1, seq_cst);
                        s.b = s.x.load(seq_cst);
                      });
                      r.finally([&s] { model::outcome({s.a, s.b}); });
                    }};

// Dekker as a lock-free protocol uses it: an RMW announces, a load looks.
auto dekker(order announce, order look) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] {
      s.x.fetch_add(1, announce);
      s.a = s.y.load(look);
    });
    r.thread([=, &s] {
      s.y.fetch_or(1, announce);
      s.b = s.x.load(look);
    });
    r.finally([&s] { model::outcome({s.a, s.b}); });
  };
}

const program dekker_1{"litmus: Dekker, seq_cst RMW before seq_cst load", all_but("00", 2), dekker(seq_cst, seq_cst)};
const program dekker_2{"litmus: Dekker, seq_cst RMW before relaxed load (an RMW is no fence)", all_but("", 2),
                       dekker(seq_cst, relaxed)};
const program dekker_3{"litmus: Dekker, acq_rel RMW before acquire load", all_but("", 2), dekker(acq_rel, acquire)};

// ---- Message passing: who sees the flag sees the data --------------------------------------------------------------

auto message_passing(order store, order load, bool release_fence = false, bool acquire_fence = false) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] {
      s.x.store(1, relaxed);
      if (release_fence) fence(release);
      s.y.store(1, store);
    });
    r.thread([=, &s] {
      s.a = s.y.load(load);
      if (acquire_fence) fence(acquire);
      s.b = s.x.load(relaxed);
    });
    r.finally([&s] { model::outcome({s.a, s.b}); });
  };
}

const program mp_1{"litmus: MP, relaxed", all_but("", 2), message_passing(relaxed, relaxed)};
const program mp_2{"litmus: MP, release and acquire", all_but("10", 2), message_passing(release, acquire)};
const program mp_3{"litmus: MP, seq_cst", all_but("10", 2), message_passing(seq_cst, seq_cst)};
const program mp_4{"litmus: MP, release fence and acquire fence", all_but("10", 2),
                   message_passing(relaxed, relaxed, true, true)};
const program mp_5{"litmus: MP, release fence and acquire load", all_but("10", 2),
                   message_passing(relaxed, acquire, true, false)};
const program mp_6{"litmus: MP, release store and acquire fence", all_but("10", 2),
                   message_passing(release, relaxed, false, true)};
const program mp_7{"litmus: MP, release fence alone", all_but("", 2), message_passing(relaxed, relaxed, true, false)};

auto payload(order store, order load) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] {
      s.data.set(42);
      s.y.store(1, store);
    });
    r.thread([=, &s] {
      if (s.y.load(load) == 1) model::check(s.data.get() == 42, "The payload arrives.");
    });
  };
}

const program payload_1{"litmus: payload, release and acquire", passes, payload(release, acquire)};
const program payload_2{"litmus: payload, relaxed store", races, payload(relaxed, acquire)};
const program payload_3{"litmus: payload, relaxed load", races, payload(release, relaxed)};

// ---- Release sequences ---------------------------------------------------------------------------------------------

// One thread publishes data by y = 1; then y becomes 2 in the way that is asked about; a reader of 2 uses the data.
enum class second { relaxed_add, relaxed_store_of_another, relaxed_store_of_its_own, failed_exchange };

auto release_sequence(second what) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] {
      s.data.set(42);
      s.y.store(1, release);
      if (what == second::relaxed_store_of_its_own) s.y.store(2, relaxed);
    });
    if (what != second::relaxed_store_of_its_own) {
      r.thread([=, &s] {
        if (what == second::relaxed_add && s.y.load(relaxed) == 1) s.y.fetch_add(1, relaxed);
        if (what == second::relaxed_store_of_another && s.y.load(relaxed) == 1) s.y.store(2, relaxed);
        int expected = 7;
        if (what == second::failed_exchange) s.y.compare_exchange_strong(expected, 2, relaxed, relaxed);
      });
    }
    r.thread([=, &s] {
      if (s.y.load(acquire) == (what == second::failed_exchange ? 1 : 2))
        model::check(s.data.get() == 42, "Published.");
    });
  };
}

const program sequence_1{"litmus: a relaxed RMW continues a release sequence", passes,
                         release_sequence(second::relaxed_add)};
const program sequence_2{"litmus: a relaxed store of another thread breaks a release sequence", races,
                         release_sequence(second::relaxed_store_of_another)};
const program sequence_3{"litmus: a relaxed store of the same thread breaks it, too (C++20)", races,
                         release_sequence(second::relaxed_store_of_its_own)};
const program sequence_4{"litmus: a failed exchange leaves a release sequence alone", passes,
                         release_sequence(second::failed_exchange)};

// ---- Coherence -----------------------------------------------------------------------------------------------------

const program corr{"litmus: CoRR, reads of one thread never go back", seen({"00", "01", "02", "11", "12", "22"}),
                   [](run& r) {
                     auto& s = r.make<state>();
                     r.thread([&s] {
                       s.x.store(1, relaxed);
                       s.x.store(2, relaxed);
                     });
                     r.thread([&s] {
                       s.a = s.x.load(relaxed);
                       s.b = s.x.load(relaxed);
                     });
                     r.finally([&s] { model::outcome({s.a, s.b}); });
                   }};

const program cowr{"litmus: CoWR, a thread sees its own store or a later one", seen({"1", "2"}), [](run& r) {
                     auto& s = r.make<state>();
                     r.thread([&s] {
                       s.x.store(1, relaxed);
                       s.a = s.x.load(relaxed);
                     });
                     r.thread([&s] { s.x.store(2, relaxed); });
                     r.finally([&s] { model::outcome({s.a}); });
                   }};

const program corw{"litmus: CoRW, a store is later than what its thread has read", seen({"01", "02", "21"}),
                   [](run& r) {
                     auto& s = r.make<state>();
                     r.thread([&s] {
                       s.a = s.x.load(relaxed);
                       s.x.store(1, relaxed);
                     });
                     r.thread([&s] { s.x.store(2, relaxed); });
                     r.finally([&s] { model::outcome({s.a, s.x.load(relaxed)}); });
                   }};

const program atomicity{"litmus: relaxed RMWs lose nothing", seen({"3"}), [](run& r) {
                          auto& s = r.make<state>();
                          for (int i = 0; i < 3; ++i) r.thread([&s] { s.x.fetch_add(1, relaxed); });
                          r.finally([&s] { model::outcome({s.x.load(relaxed)}); });
                        }};

const program one_winner{"litmus: of two exchanges of the same value one wins", seen({"01", "10"}), [](run& r) {
                           auto& s = r.make<state>();
                           const auto claim = [&s](int& won) {
                             int expected = 0;
                             won = s.x.compare_exchange_strong(expected, 1, relaxed, relaxed) ? 1 : 0;
                           };
                           r.thread([=, &s] { claim(s.a); });
                           r.thread([=, &s] { claim(s.b); });
                           r.finally([&s] { model::outcome({s.a, s.b}); });
                         }};

// ---- Three and four threads ----------------------------------------------------------------------------------------

auto write_to_read(order stores, order loads) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] { s.x.store(1, relaxed); });
    r.thread([=, &s] {
      s.a = s.x.load(relaxed);
      s.y.store(1, stores);
    });
    r.thread([=, &s] {
      s.b = s.y.load(loads);
      s.c = s.x.load(relaxed);
    });
    r.finally([&s] { model::outcome({s.a, s.b, s.c}); });
  };
}

const program wrc_1{"litmus: WRC, relaxed", all_but("", 3), write_to_read(relaxed, relaxed)};
const program wrc_2{"litmus: WRC, a read that happens before is not undone", all_but("110", 3),
                    write_to_read(release, acquire)};

auto chain(order stores, order loads) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] {
      s.x.store(1, relaxed);
      s.y.store(1, stores);
    });
    r.thread([=, &s] {
      s.a = s.y.load(loads);
      s.z.store(1, stores);
    });
    r.thread([=, &s] {
      s.b = s.z.load(loads);
      s.c = s.x.load(relaxed);
    });
    r.finally([&s] { model::outcome({s.a, s.b, s.c}); });
  };
}

const program isa2_1{"litmus: ISA2, relaxed", all_but("", 3), chain(relaxed, relaxed)};
const program isa2_2{"litmus: ISA2, happens-before is transitive", all_but("110", 3), chain(release, acquire)};

auto independent_reads(order stores, order loads, bool fences) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] { s.x.store(1, stores); });
    r.thread([=, &s] { s.y.store(1, stores); });
    r.thread([=, &s] {
      s.a = s.x.load(loads);
      if (fences) fence(seq_cst);
      s.b = s.y.load(loads);
    });
    r.thread([=, &s] {
      s.c = s.y.load(loads);
      if (fences) fence(seq_cst);
      s.d = s.x.load(loads);
    });
    r.finally([&s] { model::outcome({s.a, s.b, s.c, s.d}); });
  };
}

const program iriw_1{"litmus: IRIW, release and acquire", all_but("", 4), independent_reads(release, acquire, false)};
const program iriw_2{"litmus: IRIW, seq_cst", all_but("1010", 4), independent_reads(seq_cst, seq_cst, false)};
const program iriw_3{"litmus: IRIW, relaxed with seq_cst fences", all_but("1010", 4),
                     independent_reads(relaxed, relaxed, true)};

const program rwc{"litmus: RWC with seq_cst fences", all_but("100", 3), [](run& r) {
                    auto& s = r.make<state>();
                    r.thread([&s] { s.x.store(1, relaxed); });
                    r.thread([&s] {
                      s.a = s.x.load(relaxed);
                      fence(seq_cst);
                      s.b = s.y.load(relaxed);
                    });
                    r.thread([&s] {
                      s.y.store(1, relaxed);
                      fence(seq_cst);
                      s.c = s.x.load(relaxed);
                    });
                    r.finally([&s] { model::outcome({s.a, s.b, s.c}); });
                  }};

// ---- Stores against stores -----------------------------------------------------------------------------------------

auto r_shape(order o) {
  return [=](run& r) {
    auto& s = r.make<state>();
    r.thread([=, &s] {
      s.x.store(1, o);
      s.y.store(1, o);
    });
    r.thread([=, &s] {
      s.y.store(2, o);
      s.a = s.x.load(o);
    });
    r.finally([&s] { model::outcome({s.a, s.y.load(relaxed)}); });
  };
}

const program r_1{"litmus: R, relaxed", seen({"01", "02", "11", "12"}), r_shape(relaxed)};
const program r_2{"litmus: R, seq_cst", seen({"01", "11", "12"}), r_shape(seq_cst)};

const program s_shape{"litmus: S, release and acquire", seen({"01", "02", "11"}), [](run& r) {
                        auto& s = r.make<state>();
                        r.thread([&s] {
                          s.x.store(2, relaxed);
                          s.y.store(1, release);
                        });
                        r.thread([&s] {
                          s.a = s.y.load(acquire);
                          s.x.store(1, relaxed);
                        });
                        r.finally([&s] { model::outcome({s.a, s.x.load(relaxed)}); });
                      }};

// ---- Documented holes: C++20 allows one more outcome than the checker produces -------------------------------------

const program lb{"litmus: LB, relaxed (hole: C++20 allows 11, too)", all_but("11", 2), [](run& r) {
                   auto& s = r.make<state>();
                   r.thread([&s] {
                     s.a = s.x.load(relaxed);
                     s.y.store(1, relaxed);
                   });
                   r.thread([&s] {
                     s.b = s.y.load(relaxed);
                     s.x.store(1, relaxed);
                   });
                   r.finally([&s] { model::outcome({s.a, s.b}); });
                 }};

const program two_two_w{"litmus: 2+2W, relaxed (hole: C++20 allows 11, too)", seen({"12", "21", "22"}), [](run& r) {
                          auto& s = r.make<state>();
                          r.thread([&s] {
                            s.x.store(1, relaxed);
                            s.y.store(2, relaxed);
                          });
                          r.thread([&s] {
                            s.y.store(1, relaxed);
                            s.x.store(2, relaxed);
                          });
                          r.finally([&s] { model::outcome({s.x.load(relaxed), s.y.load(relaxed)}); });
                        }};

}  // namespace
