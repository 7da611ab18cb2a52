// refused: takes a function that returns a sluice::task
#include <sluice/sluice.hpp>

void wrong(sluice::runtime& r) {
  r.spawn([] { return 1; }).detach();
}
