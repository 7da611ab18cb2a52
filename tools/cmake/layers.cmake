# The layers. Each has an include root of its own that holds one symbolic link, so that a layer sees
# only what its target links: a queue that includes the scheduler does not compile.

# sluice_layer(<name> LINKS <target>...): the library sluice::<name> from the folder <name>/.
function(sluice_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "" "" "LINKS")
  set(root ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root}/sluice)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${name} ${root}/sluice/${name} SYMBOLIC)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)  # a layer of headers alone is still a library to link
    set(sources ${PROJECT_BINARY_DIR}/generated/${name}_is_headers_only.cpp)
    file(CONFIGURE OUTPUT ${sources} CONTENT "// This layer has no sources of its own.\n")
  endif()
  add_library(sluice_${name} STATIC ${sources})
  add_library(sluice::${name} ALIAS sluice_${name})
  set_target_properties(sluice_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(sluice_${name} PUBLIC
    $<BUILD_INTERFACE:${root}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(sluice_${name} PUBLIC cxx_std_20)
  target_link_libraries(sluice_${name} PUBLIC ${layer_LINKS})
  sluice_warnings(sluice_${name})
endfunction()

# sluice_umbrella(): sluice::sluice, whose include root holds sluice/sluice.hpp alone.
function(sluice_umbrella)
  set(root ${PROJECT_BINARY_DIR}/include/umbrella)
  file(MAKE_DIRECTORY ${root}/sluice)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/runtime/sluice.hpp ${root}/sluice/sluice.hpp SYMBOLIC)
  add_library(sluice_sluice INTERFACE)
  add_library(sluice::sluice ALIAS sluice_sluice)
  set_target_properties(sluice_sluice PROPERTIES EXPORT_NAME sluice)
  target_include_directories(sluice_sluice INTERFACE
    $<BUILD_INTERFACE:${root}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(sluice_sluice INTERFACE sluice::runtime)
endfunction()

# sluice_header_checks(<layer>...): the target sluice_headers compiles every public header alone,
# included twice, with what its own layer sees and no more.
function(sluice_header_checks)
  add_custom_target(sluice_headers)
  foreach(layer IN LISTS ARGN)
    file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${layer}/*.hpp)
    set(sources)
    foreach(header IN LISTS headers)
      string(MAKE_C_IDENTIFIER ${header} stem)
      set(source ${PROJECT_BINARY_DIR}/generated/headers/${stem}.cpp)
      file(CONFIGURE OUTPUT ${source} CONTENT "#include <sluice/${header}>\n#include <sluice/${header}>\n")
      list(APPEND sources ${source})
    endforeach()
    if(sources)
      add_library(sluice_headers_${layer} OBJECT EXCLUDE_FROM_ALL ${sources})
      target_link_libraries(sluice_headers_${layer} PRIVATE sluice::${layer})
      target_compile_options(sluice_headers_${layer} PRIVATE -O0)
      sluice_warnings(sluice_headers_${layer})
      add_dependencies(sluice_headers sluice_headers_${layer})
    endif()
  endforeach()
endfunction()
