// refused: block_on and run take a sluice::task
#include <sluice/sluice.hpp>

int wrong(sluice::runtime& r, sluice::queue<int>& q) {
  r.block_on(q.get());
  return 0;
}
