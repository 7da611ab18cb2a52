// refused: block_on and run take a sluice::task
#include <sluice/sluice.hpp>

int wrong(sluice::queue<int>& q) {
  sluice::run(q.get());
  return 0;
}
