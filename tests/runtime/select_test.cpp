#include "worlds.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(select, takes_what_is_ready_and_nothing_else) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      queue<int> a{4};
      queue<std::string> b{4};
      semaphore permits{1};
      event never;
      EXPECT_TRUE(b.try_put("word"));
      auto got = co_await select(a.get(), b.get(), never.wait());
      static_assert(std::is_same_v<decltype(got), std::variant<int, std::string, std::monostate>>);
      EXPECT_EQ(std::get<1>(got), "word");
      auto permit_or_item = co_await select(a.next(), permits.acquire());
      EXPECT_EQ(permit_or_item.index(), 1U);
      EXPECT_EQ(permits.available(), 0U);
      EXPECT_TRUE(a.try_put(7));
      auto item_or_permit = co_await select(a.next(), permits.acquire());
      EXPECT_EQ(std::get<0>(item_or_permit), 7);
    };
    r.block_on(program());
  });
}

task<> put_later(queue<int>& q, int value) {
  co_await sleep_for(1ms);
  co_await q.put(int{value});
}

TEST(select, waits_for_the_first_and_leaves_the_others_as_they_were) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      queue<int> a{4};
      queue<int> b{4};
      auto putter = spawn(put_later(b, 5));
      auto got = co_await select(a.get(), b.get(), sleep_for(1000h));
      EXPECT_EQ(std::get<1>(got), 5);
      EXPECT_TRUE(a.try_put(1)) << "nobody waits there";
      EXPECT_EQ(a.try_get(), 1);
      co_await putter;
      const auto late = co_await select(a.get(), sleep_for(1ms));
      EXPECT_EQ(late.index(), 1U);
      EXPECT_TRUE(a.empty());
    };
    r.block_on(program());
  });
}

TEST(select, a_put_keeps_its_value_unless_it_is_chosen) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      queue<std::unique_ptr<int>> full{1};
      queue<int> items{1};
      EXPECT_TRUE(full.try_put(std::make_unique<int>(1)));
      auto value = std::make_unique<int>(2);
      auto putter = spawn(put_later(items, 3));
      auto got = co_await select(full.put(std::move(value)), items.get());
      EXPECT_EQ(std::get<1>(got), 3);
      EXPECT_NE(value, nullptr);
      co_await putter;
      EXPECT_TRUE(full.try_get());
      auto put = co_await select(full.put(std::move(value)), items.get());
      EXPECT_EQ(put.index(), 0U);
      EXPECT_EQ(value, nullptr);
    };
    r.block_on(program());
  });
}

task<int> number_after(int n, std::chrono::milliseconds d) {
  co_await sleep_for(d);
  co_return n;
}

TEST(select, a_handle_that_was_not_chosen_can_be_awaited_afterwards) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto quick = spawn(number_after(1, 1ms));
      auto slow = spawn(number_after(2, 5ms));
      auto got = co_await select(slow, quick);
      EXPECT_EQ(std::get<1>(got), 1);
      const int n = co_await slow;
      EXPECT_EQ(n, 2);
    };
    r.block_on(program());
  });
}

TEST(select, of_arms_that_are_all_ready_each_is_chosen_and_in_order_the_first) {
  in_all_worlds(
      [](runtime& r) {
        auto program = []() -> task<> {
          event set[10];
          for (event& e : set) e.set();
          std::vector<int> chosen(10);
          for (int i = 0; i < 2000; ++i) {
            const auto got = co_await select(set[0].wait(), set[1].wait(), set[2].wait(), set[3].wait(), set[4].wait(),
                                             set[5].wait(), set[6].wait(), set[7].wait(), set[8].wait(), set[9].wait());
            ++chosen[got.index()];
          }
          for (int times : chosen) EXPECT_GT(times, 100) << "of 2000 selects of ten arms";
          for (int i = 0; i < 100; ++i) {
            const auto got = co_await select(in_order, set[0].wait(), set[1].wait());
            EXPECT_EQ(got.index(), 0U);
          }
        };
        r.block_on(program());
      },
      3);
}

TEST(select, closed_queues_are_ready) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      queue<int> closed{1};
      queue<int> open{1};
      closed.close();
      auto got = co_await select(open.next(), closed.next());
      EXPECT_EQ(got.index(), 1U);
      EXPECT_FALSE(std::get<1>(got).has_value());
      bool thrown = false;
      try {
        (void)co_await select(open.get(), closed.get());
      } catch (const queue_closed&) {
        thrown = true;
      }
      EXPECT_TRUE(thrown);
      auto only = co_await select(arm_if(false, closed.next()), arm_if(true, sleep_for(1ms)));
      EXPECT_EQ(only.index(), 1U);
      queue<int> closing{1};
      auto closer = spawn(
          [](queue<int>& q) -> task<> {
            co_await sleep_for(1ms);
            q.close();
          },
          std::ref(closing));
      auto ended = co_await select(open.next(), closing.lease());
      EXPECT_EQ(ended.index(), 1U);
      co_await closer;
    };
    r.block_on(program());
  });
}

TEST(select, refuses_what_makes_no_sense) {
  in_all_worlds(
      [](runtime& r) {
        auto program = []() -> task<> {
          queue<int> q{1};
          queue<int> meeting{rendezvous};
          EXPECT_THROW(select(), std::invalid_argument);
          bool none = false;
          try {
            (void)co_await select(arm_if(false, q.get()));
          } catch (const std::invalid_argument&) {
            none = true;
          }
          EXPECT_TRUE(none);
          bool refused = false;
          try {
            (void)co_await select(meeting.put(1), q.get());
          } catch (const std::logic_error&) {
            refused = true;
          }
          EXPECT_TRUE(refused);
        };
        r.block_on(program());
      },
      1);
}

TEST(select, in_a_timeout) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      queue<int> a{1};
      queue<int> b{1};
      EXPECT_THROW((void)co_await timeout(1ms, select(a.get(), b.get())), timed_out);
      EXPECT_THROW((void)co_await timeout(0ms, select(a.get(), b.get())), timed_out);
      EXPECT_TRUE(b.try_put(4));
      auto got = co_await timeout(0ms, select(a.get(), b.get()));
      EXPECT_EQ(std::get<1>(got), 4);
      EXPECT_TRUE(a.try_put(5)) << "nobody waits any more";
    };
    r.block_on(program());
  });
}

TEST(select, an_arm_that_is_left_out_need_not_be_possible) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto a = spawn(number_after(1, 1ms));
      auto b = spawn(number_after(2, 2ms));
      bool has_a = false;
      bool has_b = false;
      int sum = 0;
      while (!has_a || !has_b) {
        auto got = co_await select(arm_if(!has_a, a), arm_if(!has_b, b));
        sum += got.index() == 0 ? std::get<0>(got) : std::get<1>(got);
        (got.index() == 0 ? has_a : has_b) = true;
      }
      EXPECT_EQ(sum, 3);
    };
    r.block_on(program());
  });
}

TEST(select, is_fair_among_those_that_are_ready_whatever_stands_between_them) {
  in_all_worlds(
      [](runtime& r) {
        auto program = []() -> task<> {
          event ready;
          ready.set();
          event not_ready;
          int first = 0;
          for (int i = 0; i < 3000; ++i) {
            const auto got = co_await select(not_ready.wait(), not_ready.wait(), not_ready.wait(), not_ready.wait(),
                                             ready.wait(), ready.wait());
            first += got.index() == 4;
          }
          EXPECT_GT(first, 1200);
          EXPECT_LT(first, 1800);
        };
        r.block_on(program());
      },
      3);
}

// Each select that is chosen takes a large acquire from the head of a semaphore, which lets the next select go: a hundred thousand deep.
task<> link_of_chain(semaphore& own, semaphore& next, long& ended) {
  const auto got = co_await select(in_order, own.acquire(1), next.acquire(2));
  ended += got.index() == 0;
}
task<> first_of_chain(event& begin, semaphore& next) { (void)co_await select(in_order, begin.wait(), next.acquire(2)); }

TEST(select, a_chain_of_choices_needs_no_stack) {
  constexpr std::size_t links = 100'000;
  runtime r(threads(1));
  auto program = []() -> task<> {
    std::vector<std::unique_ptr<semaphore>> chain;
    std::vector<permit> out;
    for (std::size_t i = 0; i < links + 2; ++i) {
      chain.push_back(std::make_unique<semaphore>(2));
      out.push_back(*chain.back()->try_acquire());
    }
    event begin;
    long ended = 0;
    auto body = [&](task_group& group) -> task<> {
      group.spawn(first_of_chain(begin, *chain[1]));
      while (chain[1]->waiters() < 1) co_await yield();
      for (std::size_t i = 1; i <= links; ++i) {
        group.spawn(link_of_chain(*chain[i], *chain[i + 1], ended));
        while (chain[i + 1]->waiters() < 1) co_await yield();
      }
      begin.set();
    };
    co_await with_group(body);
    EXPECT_EQ(ended, static_cast<long>(links));
  };
  r.block_on(program());
}

TEST(select, an_operation_that_was_moved_into_it_is_awaited) {
  in_all_worlds(
      [](runtime& r) {
        auto program = []() -> task<> {
          queue<int> q{1};
          semaphore s{1};
          event e(true);
          auto get = q.get();
          auto acquire = s.acquire();
          auto wait = e.wait();
          (void)co_await select(std::move(get), std::move(acquire), std::move(wait));
          int refused = 0;
          try {
            (void)co_await std::move(get);  // NOLINT: that is what is tested
          } catch (const std::logic_error&) {
            ++refused;
          }
          try {
            (void)co_await std::move(acquire);  // NOLINT
          } catch (const std::logic_error&) {
            ++refused;
          }
          try {
            co_await std::move(wait);  // NOLINT
          } catch (const std::logic_error&) {
            ++refused;
          }
          EXPECT_EQ(refused, 3);
        };
        r.block_on(program());
      },
      1);
}

struct two_queues {
  queue<int> a{1};
  queue<int> b{1};
  int got = 0;
};

task<> put_into(two_queues& to, int puts) {
  co_await yield();
  co_await to.a.put(1);
  if (puts > 1) co_await to.b.put(2);
}

task<> end_of(join_handle<> handle) { co_await handle; }

TEST(select, cancelled_at_every_point_takes_nothing_or_delivers) {
  for (int puts = 1; puts <= 2; ++puts) {
    two_queues w;
    auto victim = [&w, puts]() -> task<> {
      w.got = 0;
      auto putter = spawn(put_into(w, puts));
      try {
        auto item = co_await select(w.a.get(), w.b.get(), sleep_for(1000h));
        w.got = item.index() == 0 ? std::get<0>(item) : std::get<1>(item);
      } catch (const cancelled&) {
      }
      co_await shield(end_of(std::move(putter)));
      EXPECT_EQ(w.got + w.a.try_get().value_or(0) + w.b.try_get().value_or(0), puts == 1 ? 1 : 3);
      co_await this_task::checkpoint();
    };
    cancel_at_every_point(victim, [](bool) {});
  }
}

}  // namespace
}  // namespace sluice
