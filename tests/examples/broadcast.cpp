// prints: quick: 1 2 3 4 5
// prints: slow: 3 4 5, missed 2
// prints: the limit is 30
// prints: plan 'large' from now on
#include <sluice/sluice.hpp>

#include <cstdio>
#include <string>
#include <utility>

// Every subscriber has every item. One that is too slow goes on with the oldest that is kept, and knows what it has missed.
sluice::task<std::string> read_all(sluice::subscription<int> prices) {
  std::string all;
  while (auto price = co_await prices.next()) all += " " + std::to_string(*price);
  if (prices.missed() > 0) all += ", missed " + std::to_string(prices.missed());
  co_return all;
}

sluice::task<> ticker() {
  sluice::broadcast<int> prices{3};  // keeps the last three
  auto quick = prices.subscribe();
  auto slow = prices.subscribe();
  std::string seen;
  for (int i = 1; i <= 5; ++i) {
    prices.send(int{i});  // waits for nobody
    seen += " " + std::to_string((co_await quick.next()).value());
  }
  prices.close();
  std::printf("quick:%s\n", seen.c_str());
  const std::string late = co_await read_all(std::move(slow));
  std::printf("slow:%s\n", late.c_str());
}

struct settings {
  int limit;
  std::string plan;
};

// Wakes up when the value changes. Some that come and go between may not be seen; the last one is.
sluice::task<> follow(sluice::watcher<settings> changes) {
  while (auto now = co_await changes.borrow()) {  // no copy is made
    if ((*now)->plan == "large") std::printf("plan '%s' from now on\n", (*now)->plan.c_str());
  }
}

sluice::task<> service() {
  sluice::watch<settings> current{settings{10, "small"}};
  auto following = sluice::spawn(follow(current.watcher()));
  current.set(settings{20, "small"});
  current.modify([](settings& s) { s.limit += 10; });
  std::printf("the limit is %d\n", current.get().limit);
  current.modify([](settings& s) { s.plan = "large"; });
  current.close();
  co_await following;
}

sluice::task<> program() {
  co_await ticker();
  co_await service();
}

int main() { sluice::run(program()); }
