// prints: stopping on signal 15
// prints: finished 3 of 3 jobs
#include <csignal>
#include <cstdio>
#include <sluice/sluice.hpp>

using namespace std::chrono_literals;

struct service {
  sluice::queue<int> jobs{100};
  int finished = 0;
};

sluice::task<> worker(service& s) {
  while (auto job = co_await s.jobs.lease()) {
    co_await sluice::sleep_for(1ms);  // the work
    ++s.finished;
  }
}

sluice::task<> serve(service& s) {
  sluice::signals stop{SIGINT, SIGTERM};
  auto body = [&](sluice::task_group& group) -> sluice::task<> {
    group.spawn(worker(s));
    for (int i = 0; i < 3; ++i) co_await s.jobs.put(int{i});
    std::raise(SIGTERM);  // somebody stops the service
    std::printf("stopping on signal %d\n", co_await stop.next());
    s.jobs.close();  // no more intake; what is queued is still done
    try {
      co_await sluice::timeout(5s, group.join());
    } catch (const sluice::timed_out&) {
      group.cancel();  // too slow: the next wait of each worker throws
    }
  };
  co_await sluice::with_group(body);
}

int main() {
  service s;
  sluice::run(serve(s));
  std::printf("finished %d of 3 jobs\n", s.finished);
}
