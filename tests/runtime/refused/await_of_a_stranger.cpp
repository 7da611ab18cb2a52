// refused: a sluice task awaits sluice operations only
#include <sluice/sluice.hpp>

sluice::task<> wrong() { co_await std::suspend_never{}; }
