// refused: a wait is awaited once, as an rvalue
#include <sluice/sluice.hpp>

sluice::task<> work();
sluice::task<> wrong() {
  auto t = work();
  co_await t;
}
