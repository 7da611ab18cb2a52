// refused: name the lambda first, then pass it by name
#include <sluice/sluice.hpp>

#include <string>

sluice::task<> wrong() {
  std::string text;
  co_await sluice::with_group([text](sluice::task_group&) -> sluice::task<> { co_return; });
}
