# The kernels of small graphs, compiled when Croton is built: croton-<version>.kernels beside libcroton.so, made
# by a program that runs with that very library (tools/precompile), as it carries the library's identity.
# Installed Crotons have it. A build tree to develop in makes it for its test only: each change of the library
# makes it anew, which takes some ten seconds of a core.

set(possible OFF)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT CMAKE_CROSSCOMPILING AND NOT croton_instrumented)
  set(possible ON)
endif()
option(CROTON_PRECOMPILED "Compile the kernels of small graphs when Croton is built" ${possible})
if(NOT CROTON_PRECOMPILED)
  return()
endif()

add_library(croton_small_graphs OBJECT "${PROJECT_SOURCE_DIR}/tools/precompile/graphs.cpp"
                                       "${PROJECT_SOURCE_DIR}/tools/precompile/kernels.cpp")
target_link_libraries(croton_small_graphs PUBLIC croton croton_flags)
add_executable(croton_precompile "${PROJECT_SOURCE_DIR}/tools/precompile/main.cpp")
target_link_libraries(croton_precompile PRIVATE croton croton_small_graphs)
set_target_properties(croton_precompile PROPERTIES BUILD_RPATH "${PROJECT_BINARY_DIR}")

set(croton_kernel_file "${PROJECT_BINARY_DIR}/croton-${croton_version}.kernels")
add_custom_command(OUTPUT "${croton_kernel_file}" COMMAND croton_precompile "${croton_kernel_file}"
                   DEPENDS croton_precompile croton croton_generator
                   COMMENT "Compiling the kernels of small graphs" VERBATIM)
set(all "")
if(SKBUILD OR CMAKE_BUILD_TYPE MATCHES "^[Rr]elease$")
  set(all ALL)
endif()
add_custom_target(croton_kernels ${all} DEPENDS "${croton_kernel_file}")
if(all AND SKBUILD)
  install(FILES "${croton_kernel_file}" DESTINATION croton COMPONENT python)
elseif(all)
  install(FILES "${croton_kernel_file}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT croton)
endif()
