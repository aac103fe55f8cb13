# cmake --install: headers, library and the package that find_package(croton) finds.

if(SKBUILD)
  return()  # a wheel carries the library inside the Python package (cmake/python.cmake)
endif()
include(CMakePackageConfigHelpers)
set(place "${CMAKE_INSTALL_LIBDIR}/cmake/croton")
install(TARGETS croton EXPORT crotonTargets COMPONENT croton)
install(TARGETS croton_generator LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT croton)
install(EXPORT crotonTargets NAMESPACE croton:: DESTINATION "${place}" COMPONENT croton)
# Back ends are plug-ins that nobody includes: their headers stay home.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/croton" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        COMPONENT croton FILES_MATCHING PATTERN "*.hpp" PATTERN "*.def"
        PATTERN backend EXCLUDE)
install(FILES "${PROJECT_BINARY_DIR}/generated/croton/version.hpp"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/croton" COMPONENT croton)
file(WRITE "${PROJECT_BINARY_DIR}/crotonConfig.cmake"
     "include(CMakeFindDependencyMacro)\nfind_dependency(Threads)\n"
     "include(\"\${CMAKE_CURRENT_LIST_DIR}/crotonTargets.cmake\")\n")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/crotonConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/crotonConfig.cmake"
              "${PROJECT_BINARY_DIR}/crotonConfigVersion.cmake"
        DESTINATION "${place}" COMPONENT croton)
