# How sluice's own code is compiled. Nothing here reaches a consumer.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
find_package(Threads REQUIRED)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  set(CMAKE_COLOR_DIAGNOSTICS ON)
  if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
  endif()

  # ccache, when there is one; the sloppiness is what precompiled headers need.
  find_program(SLUICE_CCACHE ccache)
  if(SLUICE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${SLUICE_CCACHE})
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
      add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
  if(SLUICE_NATIVE)
    add_compile_options(-march=native)
    # clang 19 warns about a feature name that its own -march=native brings along on Sapphire Rapids.
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
      add_compile_options(-Wno-invalid-feature-combination)
    endif()
  endif()
endif()

if(SLUICE_SANITIZE)
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
endif()

# sluice_warnings(target): for every target of ours, and for nobody else's.
function(sluice_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
  # g++ 12 takes std::string's operator+ for an overlapping copy (GCC bug 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  if(SLUICE_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
