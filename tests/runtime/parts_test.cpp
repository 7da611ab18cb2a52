// tests: runtime/result.hpp runtime/record_word.hpp runtime/record_block.hpp runtime/stable_pool.hpp
// tests: runtime/worker_tally.hpp runtime/gate.hpp runtime/delegation.hpp
// tests: runtime/futex_mutex.hpp runtime/nested.hpp runtime/root_context.hpp runtime/frame_owner.hpp
// The runtime's parts on one thread: what each step answers.
#include "worlds.hpp"

#include <sluice/queues/thread_context.hpp>
#include <sluice/runtime/delegation.hpp>
#include <sluice/runtime/futex_mutex.hpp>
#include <sluice/runtime/record_block.hpp>
#include <sluice/runtime/worker_tally.hpp>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace sluice::impl {
namespace {

TEST(result, holds_nothing_a_value_or_an_exception) {
  result<std::string> r;
  EXPECT_FALSE(r.has_value());
  EXPECT_FALSE(r.has_error());
  r.set_value("text");
  EXPECT_TRUE(r.has_value());
  EXPECT_EQ(r.get(), "text");
  r.set_error(std::make_exception_ptr(std::runtime_error("x")));
  EXPECT_TRUE(r.has_error());
  EXPECT_THROW(r.get(), std::runtime_error);
  r.set_value("again");
  r.clear();
  EXPECT_FALSE(r.has_value() || r.has_error());
}

TEST(result, destroys_what_it_replaces) {
  const auto owned = std::make_shared<int>(1);
  const auto r =
      std::make_unique<result<std::shared_ptr<int>>>();  // g++ 12 takes part of one on the stack for uninitialized
  r->set_value(owned);
  r->set_value(nullptr);
  EXPECT_EQ(owned.use_count(), 1);
  r->set_value(owned);
  r->set_error(std::make_exception_ptr(std::runtime_error("x")));
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(result, holds_nothing_when_making_the_value_throws) {
  struct throws {
    throws() = default;
    explicit throws(int) { throw std::runtime_error("x"); }
  };
  result<throws> r;
  r.set_value();
  EXPECT_THROW(r.set_value(1), std::runtime_error);
  EXPECT_FALSE(r.has_value() || r.has_error());
}

TEST(record_word, is_freed_by_the_last_to_leave) {
  using finish = record_word::finish_result;
  record_word a;
  a.open(true);
  EXPECT_FALSE(a.done());
  EXPECT_EQ(a.finish(false).what, finish::kept);
  EXPECT_TRUE(a.done());
  EXPECT_FALSE(a.add_waiter());
  EXPECT_FALSE(a.drop_running());
  EXPECT_TRUE(a.visit());
  EXPECT_FALSE(a.drop_done());
  EXPECT_TRUE(a.leave_visit());
  EXPECT_FALSE(a.visit());

  record_word b;
  b.open(true);
  EXPECT_TRUE(b.add_waiter());
  EXPECT_TRUE(b.remove_waiter());
  EXPECT_FALSE(b.remove_waiter());
  EXPECT_TRUE(b.drop_running());
  EXPECT_EQ(b.finish(false).what, finish::dispose);
  EXPECT_EQ(b.finish(true).what, finish::free);

  record_word c;
  c.open(true);
  EXPECT_TRUE(c.add_waiter());
  EXPECT_EQ(c.finish(false).what, finish::wake);
  EXPECT_FALSE(c.remove_waiter());
  EXPECT_TRUE(c.make_orphan());
  EXPECT_TRUE(c.drop_done());
  EXPECT_TRUE(c.orphaned());
  EXPECT_FALSE(c.make_orphan());
}

TEST(record_word, tells_the_runtimes_destructor_of_the_end_of_a_task_that_it_watches) {
  record_word word;
  EXPECT_FALSE(word.watch()) << "there is no task";
  word.open(true);
  EXPECT_TRUE(word.watch());
  EXPECT_FALSE(word.leave_visit());
  EXPECT_TRUE(word.finish(false).watched);
  EXPECT_FALSE(word.watch()) << "it has ended";
  EXPECT_TRUE(word.drop_done());
  word.open(false);
  EXPECT_FALSE(word.finish(true).watched) << "another task";
}

TEST(stable_pool, gives_distinct_blocks_and_uses_them_again) {
  record_pool pool;
  std::set<record_block*> all;
  stable_cache cache;
  for (int i = 0; i < 1000; ++i) {
    record_block& block = pool.take(i % 2 == 0 ? &cache : nullptr);
    EXPECT_EQ(&pool.at(block.index), &block);
    EXPECT_TRUE(all.insert(&block).second);
  }
  EXPECT_EQ(pool.used(), 1000u);
  int i = 0;
  for (record_block* block : all) pool.give(*block, ++i % 3 != 0 ? &cache : nullptr);
  EXPECT_EQ(pool.free_count() + pool.free_count(cache), 1000u);
  for (i = 0; i < 1000; ++i) EXPECT_EQ(all.count(&pool.take(i % 5 == 0 ? nullptr : &cache)), 1u);
  EXPECT_EQ(pool.used(), 1000u);
  EXPECT_EQ(pool.free_count() + pool.free_count(cache), 0u);
}

TEST(stable_pool, moves_what_one_worker_gives_to_another_that_takes) {
  record_pool pool;
  stable_cache giver, taker;
  for (int i = 0; i < 10'000; ++i) pool.give(pool.take(&taker), &giver);
  EXPECT_LE(pool.used(), 300u) << "a few batches go round";
}

TEST(worker_tally, counts_what_was_started_anywhere_and_has_ended_anywhere) {
  worker_tally tally(2);
  worker_share& first = tally.of(0);
  worker_share& second = tally.of(1);
  for (worker_share* own : {&first, &second, static_cast<worker_share*>(nullptr)}) tally.count_start(own);
  EXPECT_EQ(tally.alive(), 3u);
  tally.count_end(&first);
  tally.count_end(&first);  // what others have started
  EXPECT_EQ(tally.alive(), 1u);
  tally.count_end(nullptr);
  EXPECT_EQ(tally.alive(), 0u);
}

TEST(gate, opens_when_the_last_party_has_left) {
  gate g(4);
  EXPECT_FALSE(g.leave(1));
  EXPECT_FALSE(g.leave(2));
  EXPECT_TRUE(g.leave(1));
  thread_context context;
  gate wakes(2);
  wakes.leave_and_wake(1, context);
  EXPECT_FALSE(context.park_until(now()));
  wakes.leave_and_wake(1, context);
  context.park();
}

TEST(delegation, hands_every_message_to_one_runner_in_order) {
  delegation inbox;
  message m[4];
  EXPECT_TRUE(inbox.push(m[0]));
  EXPECT_FALSE(inbox.push(m[1]));
  message* first = inbox.take();
  ASSERT_EQ(first, &m[0]);
  ASSERT_EQ(first->next, &m[1]);
  EXPECT_EQ(m[1].next, nullptr);
  EXPECT_FALSE(inbox.push(m[2]));
  EXPECT_FALSE(inbox.leave());
  EXPECT_EQ(inbox.take(), &m[2]);
  EXPECT_TRUE(inbox.leave());
  EXPECT_TRUE(inbox.push(m[3]));
}

TEST(futex_mutex, excludes) {
  futex_mutex mutex;
  long count = 0;
  std::vector<std::thread> all;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back([&] {
      for (int k = 0; k < 20'000; ++k) {
        const locked hold(mutex);
        ++count;
      }
    });
  }
  for (auto& thread : all) thread.join();
  EXPECT_EQ(count, 80'000);
}

}  // namespace
}  // namespace sluice::impl
