// refused: select: an arm is a get
#include <sluice/sluice.hpp>

sluice::task<int> some();

sluice::task<> wrong(sluice::queue<int>& q) { (void)co_await sluice::select(q.get(), some()); }
