// prints: 1225
#include <atomic>
#include <cstdio>
#include <sluice/sluice.hpp>

sluice::task<> produce(sluice::queue<int>& jobs, int count) {
  for (int i = 0; i < count; ++i) co_await jobs.put(int{i});
}
sluice::task<> consume(sluice::queue<int>& jobs, std::atomic<long>& sum) {
  while (auto job = co_await jobs.lease()) sum += **job;  // task_done when `job` goes out of scope
}
sluice::task<long> pipeline() {
  sluice::queue<int> jobs{10};
  std::atomic<long> sum = 0;
  co_await sluice::with_group([&](sluice::task_group& group) -> sluice::task<> {
    for (int i = 0; i < 3; ++i) group.spawn(consume(jobs, sum));
    co_await produce(jobs, 50);
    co_await jobs.join();
    jobs.close();
  });
  co_return sum.load();
}
int main() { std::printf("%ld\n", sluice::run(pipeline())); }  // 1225
