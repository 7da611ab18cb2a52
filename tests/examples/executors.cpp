// prints: 4 clients made 400 changes, one at a time
// prints: the report ran behind them
#include <sluice/sluice.hpp>

#include <cstdio>
#include <map>

// A table without a lock: all that touches it runs on its strand, one task at a time, whatever worker that is on.
class table {
 public:
  sluice::task<> add(int key) { return sluice::on(turns_, change(key)); }
  long changes() const { return changes_; }

 private:
  sluice::task<> change(int key) {
    ++entries_[key];
    ++changes_;
    co_return;
  }

  sluice::strand turns_;
  std::map<int, int> entries_;
  long changes_ = 0;
};

sluice::task<> client(table& t) {
  for (int key = 0; key < 100; ++key) co_await t.add(key);
}

sluice::task<> report(bool& done) {
  // Not urgent: runs when nothing else is ready, or seldom.
  co_await sluice::resume_on(sluice::lane::background);
  done = true;
}

sluice::task<> program() {
  table t;
  bool reported = false;
  co_await sluice::when_all(client(t), client(t), client(t), client(t), report(reported));
  std::printf("4 clients made %ld changes, one at a time\n", t.changes());
  std::printf("the report %s behind them\n", reported ? "ran" : "did not run");
}

int main() { sluice::run(program()); }
