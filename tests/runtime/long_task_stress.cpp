// A task that computes on does not keep what it has woken or spawned from running, though every other worker was asleep.
#include <sluice/sluice.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace sluice {
namespace {

task<> answer(event& question, std::atomic<bool>& answered) {
  co_await question.wait();
  answered = true;
}

// Never gives up its worker before it has the answer: without help this would last for ever.
task<> ask(event& question, std::atomic<bool>& answered) {
  question.set();
  while (!answered.load()) std::this_thread::yield();
  co_return;
}

TEST(long_task, does_not_keep_what_it_has_woken_from_running) {
  runtime r({.workers = 3});
  for (int i = 0; i < 50; ++i) {
    event question;
    std::atomic<bool> answered = false;
    auto waiting = r.spawn(answer(question, answered));
    r.spawn(ask(question, answered)).wait();
    waiting.wait();
  }
}

task<> set(std::atomic<bool>& flag) {
  flag = true;
  co_return;
}

task<> spawn_and_spin() {
  std::atomic<bool> done = false;
  auto child = spawn(set(done));
  while (!done.load()) std::this_thread::yield();
  co_await child;
}

TEST(long_task, does_not_keep_what_it_has_spawned_from_running) {
  runtime r({.workers = 3});
  for (int i = 0; i < 50; ++i) r.spawn(spawn_and_spin()).wait();
}

}  // namespace
}  // namespace sluice
