// prints: undo: paint
// prints: undo: draw
// prints: a slot: the report, though it is closed
// prints: dropped 1
// prints: kept 2
// prints: closed, because: the disk is full
// prints: 2 texts, 11 bytes
// prints: retried
// prints: sum 10
// prints: a plain thread got ab
#include <sluice/sluice.hpp>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

// Last in, first out.
sluice::task<> undo() {
  sluice::lifo_queue<std::string> steps{10};
  co_await steps.put("draw");
  co_await steps.put("paint");
  steps.close();
  while (auto step = co_await steps.next()) std::printf("undo: %s\n", step->c_str());
}

// Room first, the item later: that put cannot fail.
sluice::task<> slots() {
  sluice::queue<std::string> reports{4};
  auto slot = co_await reports.reserve();
  reports.close();
  slot.put("the report");
  std::printf("a slot: %s, though it is closed\n", (co_await reports.get()).c_str());
}

// A full queue that drops, and one that says why it was closed.
sluice::task<> policies() {
  const auto tell = [](int&& item) { std::printf("dropped %d\n", item); };
  sluice::queue<int> latest{1, {sluice::overflow_policy::drop_oldest, tell}};
  co_await latest.put(1);
  co_await latest.put(2);
  std::printf("kept %d\n", co_await latest.get());
  latest.close(std::make_exception_ptr(std::runtime_error("the disk is full")));
  try {
    co_await latest.put(3);
  } catch (const sluice::queue_closed& closed) {
    try {
      std::rethrow_exception(closed.cause());
    } catch (const std::exception& why) {
      std::printf("closed, because: %s\n", why.what());
    }
  }
}

// Room for so many bytes; items for later.
sluice::task<> weights_and_times() {
  sluice::weighted_queue<std::string> texts{1024, [](const std::string& text) { return text.size(); }};
  co_await texts.put("hello");
  co_await texts.put("sluice");
  std::printf("%zu texts, %zu bytes\n", texts.size(), texts.weight());
  sluice::delay_queue<std::string> retries;
  retries.put("retried", 1ms);
  std::puts((co_await retries.get()).c_str());
}

// A queue that nobody owns: each task holds an end. When the last sender has gone, the receiver ends.
sluice::task<> count_up(sluice::sender<int> numbers) {
  for (int i = 1; i <= 4; ++i) co_await numbers.put(i);
}
sluice::task<> add_up(sluice::receiver<int> numbers) {
  int sum = 0;
  while (auto number = co_await numbers.next()) sum += *number;
  std::printf("sum %d\n", sum);
}

sluice::task<> program() {
  co_await undo();
  co_await slots();
  co_await policies();
  co_await weights_and_times();
  auto [tx, rx] = sluice::make_channel<int>(2);
  auto adding = sluice::spawn(add_up(std::move(rx)));
  co_await count_up(std::move(tx));
  co_await adding;
}

// A plain thread: a range-for over the items, which ends when the queue is closed and drained.
void plain_thread() {
  sluice::queue<char> letters{2};
  letters.blocking_put('a');
  letters.blocking_put('b');
  letters.close();
  std::string got;
  for (char letter : letters.blocking_items()) got += letter;
  std::printf("a plain thread got %s\n", got.c_str());
}

int main() {
  sluice::run(program());
  plain_thread();
}
