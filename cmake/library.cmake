# One object library a folder of layers.txt, all linked into libcroton.so; what sees LLVM is linked into a
# library of its own (generator.cmake).
#
# There is one shared library to link against and no archive. An archive would put LLVM's sixty libraries and OpenBLAS
# on every user's link line and their symbols into every user's program; the shared library closes over
# them once (two seconds with lld), and tests, examples and the Python module link against it in no
# time. Croton's own symbols are all visible (tests reach every folder); cmake/exports.map hides the rest.

configure_file("${PROJECT_SOURCE_DIR}/cmake/version.hpp.in"
               "${PROJECT_BINARY_DIR}/generated/croton/version.hpp" @ONLY)
target_include_directories(croton_flags INTERFACE "${PROJECT_SOURCE_DIR}"
                                                  "${PROJECT_BINARY_DIR}/generated")

set(croton_objects "")
foreach(folder IN LISTS croton_folders)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/croton/${folder}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/croton/backend/cpu/maths/")
  list(FILTER sources EXCLUDE REGEX "${croton_generator_sources}")
  if(NOT sources)
    continue()
  endif()
  string(REPLACE "/" "_" target "croton_${folder}")
  add_library(${target} OBJECT ${sources})
  target_link_libraries(${target} PRIVATE croton_flags)
  if(folder STREQUAL "backend/cpu")
    target_link_libraries(${target} PRIVATE croton_blas)
  elseif(folder STREQUAL "base")
    target_link_libraries(${target} PRIVATE croton_zlib)
  endif()
  list(APPEND croton_objects $<TARGET_OBJECTS:${target}>)
endforeach()

# The widest vectors that a processor may have, chosen when the program runs.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties("${PROJECT_SOURCE_DIR}/croton/base/block_copy_avx2.cpp"
                              PROPERTIES COMPILE_OPTIONS "-mavx2")
  set_source_files_properties("${PROJECT_SOURCE_DIR}/croton/base/block_copy_avx512.cpp"
                              "${PROJECT_SOURCE_DIR}/croton/base/recurrence_avx512.cpp"
                              PROPERTIES COMPILE_OPTIONS "-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-Wno-uninitialized")
endif()

add_library(croton SHARED ${croton_objects} "${croton_generator_id}")
add_library(croton::croton ALIAS croton)
set_target_properties(croton PROPERTIES LINKER_LANGUAGE CXX
                                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                                        LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/exports.map")
if(NOT SKBUILD)  # wheels hold no symbolic links: there the one file has the name that programs ask for
  set_target_properties(croton PROPERTIES VERSION ${PROJECT_VERSION})
endif()
target_compile_features(croton PUBLIC cxx_std_20)
target_include_directories(
  croton PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
                "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>"
                "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_link_libraries(croton PRIVATE $<BUILD_INTERFACE:croton_foreign> PUBLIC Threads::Threads)
target_link_options(croton PRIVATE "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map"
                                   -Wl,--build-id=sha1 -Wl,--gc-sections -Wl,-Bsymbolic-functions)
