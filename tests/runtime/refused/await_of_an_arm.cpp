// refused: a sluice task awaits sluice operations only
#include <sluice/sluice.hpp>

sluice::task<> wrong(sluice::queue<int>& q) { (void)co_await sluice::arm_if(false, q.get()); }
