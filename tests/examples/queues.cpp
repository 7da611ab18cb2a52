// prints: put 5, got 3, then 2
// prints: first: a word
// prints: nothing for a while
// prints: handed over: 7
#include <sluice/sluice.hpp>

#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

// Several items at a time. A queue's capacity may change while it is in use.
sluice::task<> several() {
  sluice::queue<int> jobs{2};
  std::vector<int> in = {1, 2, 3, 4, 5};
  jobs.set_capacity(8);
  const std::size_t put = co_await jobs.put_many(in);
  std::vector<int> out(3);
  const std::size_t first = co_await jobs.get_many(out);
  const std::size_t second = co_await jobs.get_many(out);
  std::printf("put %zu, got %zu, then %zu\n", put, first, second);
}

// The first of several waits; the others took nothing.
sluice::task<> whichever(sluice::queue<int>& numbers, sluice::queue<std::string>& words) {
  auto got = co_await sluice::select(numbers.get(), words.get(), sluice::sleep_for(10ms));
  if (got.index() == 0) std::printf("first: the number %d\n", std::get<0>(got));
  if (got.index() == 1) std::printf("first: a %s\n", std::get<1>(got).c_str());
  if (got.index() == 2) std::puts("nothing for a while");
}

sluice::task<> offer(sluice::queue<int>& meeting) { co_await meeting.put(7); }  // returns when somebody has it

sluice::task<> program() {
  co_await several();
  sluice::queue<int> numbers{sluice::unbounded};  // its puts never wait
  sluice::queue<std::string> words{4};
  co_await words.put("word");
  co_await whichever(numbers, words);
  co_await whichever(numbers, words);
  sluice::queue<int> meeting{sluice::rendezvous};  // holds nothing
  auto offering = sluice::spawn(offer(meeting));
  const int got = co_await meeting.get();
  std::printf("handed over: %d\n", got);
  co_await offering;
}

int main() { sluice::run(program()); }
