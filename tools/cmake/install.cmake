# cmake --install: libraries, headers, find_package(sluice) and pkg-config.

include(CMakePackageConfigHelpers)

install(TARGETS sluice_queues sluice_scheduler sluice_runtime sluice_sluice EXPORT sluice-targets)
foreach(layer queues scheduler runtime)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${layer}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sluice/${layer}
    FILES_MATCHING PATTERN *.hpp)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/runtime/sluice.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sluice OPTIONAL)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
install(EXPORT sluice-targets NAMESPACE sluice:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/sluice-config.cmake.in
  ${PROJECT_BINARY_DIR}/generated/sluice-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/sluice-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/sluice-config.cmake
  ${PROJECT_BINARY_DIR}/generated/sluice-config-version.cmake DESTINATION ${package_dir})

# The prefix is found from where the file lies, so that an installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})
configure_file(${CMAKE_CURRENT_LIST_DIR}/sluice.pc.in ${PROJECT_BINARY_DIR}/generated/sluice.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/sluice.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
