// refused: returns void or a movable object
#include <sluice/sluice.hpp>

sluice::task<int&> wrong();
auto use() { return wrong(); }
