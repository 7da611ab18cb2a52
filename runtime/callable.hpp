#pragma once
// Callables that an operation keeps until its task has ended.

#include <type_traits>

namespace sluice::impl {

/// g++ 12 destroys a temporary lambda twice when it stands inside a co_await expression and has a destructor to run.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool temporaries_die_twice = true;
#else
inline constexpr bool temporaries_die_twice = false;
#endif
template <class F>
inline constexpr bool callable_survives = !temporaries_die_twice || std::is_lvalue_reference_v<F> ||
                                          std::is_trivially_destructible_v<std::remove_reference_t<F>>;

}  // namespace sluice::impl
