# How everything is compiled: language, build types, warnings, ccache and lld.
# The target `croton_flags` carries what every source of this repository is compiled with.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Build types. The names are CMake's (compared without case); each has a preset.
#   Dev       quick to compile, assertions on (every index is checked), line numbers in backtraces
#   Release   what is installed
#   Asan      address and undefined-behaviour sanitizers; Tsan: thread sanitizer
#   Coverage  gcov counters (tools/coverage.sh)
#   Fuzz      clang's libFuzzer with the sanitizers of Asan (tests/fuzz/guided)
set(croton_sanitize "-O1 -g1 -D_GLIBCXX_ASSERTIONS -fno-omit-frame-pointer -fno-sanitize-recover=all")
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1 -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# vptr is left out: it wants type information of LLVM's classes, whose symbols the library hides.
set(CMAKE_CXX_FLAGS_ASAN "${croton_sanitize} -fsanitize=address,undefined -fno-sanitize=vptr")
set(CMAKE_CXX_FLAGS_TSAN "${croton_sanitize} -fsanitize=thread")
set(CMAKE_CXX_FLAGS_COVERAGE "-O1 -g1 --coverage -fprofile-update=atomic")
set(CMAKE_CXX_FLAGS_FUZZ "${CMAKE_CXX_FLAGS_ASAN} -fsanitize=fuzzer-no-link")
foreach(type DEV ASAN TSAN COVERAGE FUZZ)
  set(CMAKE_C_FLAGS_${type} "${CMAKE_CXX_FLAGS_${type}}")
  set(CMAKE_EXE_LINKER_FLAGS_${type} "")
  set(CMAKE_SHARED_LINKER_FLAGS_${type} "")
  set(CMAKE_MODULE_LINKER_FLAGS_${type} "")
endforeach()
string(TOLOWER "${CMAKE_BUILD_TYPE}" type)
set(croton_sanitizer "")
if(type MATCHES "^(asan|tsan)$")
  set(croton_sanitizer "${type}")
endif()
set(croton_instrumented OFF)
if(type MATCHES "^(asan|tsan|coverage|fuzz)$")
  set(croton_instrumented ON)
endif()
get_property(croton_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT CMAKE_BUILD_TYPE AND NOT croton_multi_config)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Dev, Release, Asan, Tsan, Coverage or Fuzz" FORCE)
endif()

# The bare file names that std::source_location and __FILE__ give are then relative to the repository,
# and a cache of objects serves every clone.
add_library(croton_flags INTERFACE)
target_compile_features(croton_flags INTERFACE cxx_std_20)
# (ccache turns paths into ones relative to the build folder before the compiler sees them.)
file(RELATIVE_PATH croton_up "${PROJECT_BINARY_DIR}" "${PROJECT_SOURCE_DIR}")
target_compile_options(croton_flags INTERFACE "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/="
                                              "-ffile-prefix-map=${croton_up}=")
# The interpreter is the judge of the other back ends: one rounding an operation, on every machine.
target_compile_options(croton_flags INTERFACE -ffp-contract=off -fno-math-errno)
target_compile_options(croton_flags INTERFACE -fno-semantic-interposition)

# Warnings. The ones switched off are known to be wrong about libstdc++'s own inlined code in g++ 12 and
# 13 (string concatenation, vectors of small size, references returned by range adaptors).
# Members left out of an initialiser have their defaults: records and options are written that way.
target_compile_options(croton_flags INTERFACE -Wall -Wextra -Wpedantic -Wnon-virtual-dtor
                                              -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(
    croton_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread
                           -Wno-array-bounds -Wno-maybe-uninitialized)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    target_compile_options(croton_flags INTERFACE -Wno-dangling-reference)
  endif()
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # std::stable_sort of libstdc++ 12 uses what it has itself marked as deprecated; g++ warns of our own.
  target_compile_options(croton_flags INTERFACE -Wno-deprecated-declarations)
endif()
# Errors only under the compilers that the tree is kept clean with: a newer one (Ubuntu 24.04 has g++ 13)
# warns of what nobody here has seen, and must not stop a stranger's first build.
if(CROTON_WERROR)
  if("${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}" MATCHES "^(GNU 12|Clang 19)\\.")
    target_compile_options(croton_flags INTERFACE -Werror)
  else()
    message(STATUS "Warnings stay warnings: the tree is kept clean under g++ 12 and clang 19")
  endif()
endif()

find_program(CROTON_CCACHE_PROGRAM ccache)
if(CROTON_CCACHE AND CROTON_CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(croton_launcher "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}"
                      CCACHE_NOHASHDIR=1 "${CROTON_CCACHE_PROGRAM}")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${croton_launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${croton_launcher})
endif()

# Debian names lld by version, compilers look for a plain ld.lld: a folder of our own holds that name.
find_program(CROTON_LLD_PROGRAM NAMES ld.lld-19 ld.lld HINTS /usr/lib/llvm-19/bin)
if(CROTON_LLD AND CROTON_LLD_PROGRAM)
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/lld")
  file(CREATE_LINK "${CROTON_LLD_PROGRAM}" "${PROJECT_BINARY_DIR}/lld/ld.lld" SYMBOLIC)
  add_link_options("-B${PROJECT_BINARY_DIR}/lld" -fuse-ld=lld)
endif()

# A folder can be worked on and tested while another is unfinished: what libcroton.so lacks is found by the
# test of the installation (ldd -r), not by the link of every program.
add_link_options(-Wl,--allow-shlib-undefined)
