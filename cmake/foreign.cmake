# The libraries that Croton carries inside: LLVM 19, OpenBLAS with LAPACK (single-threaded; Croton owns
# the threads), libgfortran for it, zlib and zstd. All static, all hidden by cmake/exports.map.
#
#   croton_llvm, croton_blas, croton_zlib   what a folder links to see the headers
#   croton_foreign                          the archives that are linked once into libcroton.so
#   croton_llvm_code                        those that the code generator is linked with
#
# LLVM's own CMake package is not used: Debian's asks for ZLIB, zstd, libxml2, curl and edit packages and
# links the shared z3 and zstd. llvm-config names the same archives and nothing else.

find_program(CROTON_LLVM_CONFIG NAMES llvm-config-19 llvm-config HINTS /usr/lib/llvm-19/bin
             DOC "llvm-config of LLVM 19" REQUIRED)

function(croton_ask_llvm result)
  execute_process(COMMAND "${CROTON_LLVM_CONFIG}" ${ARGN} OUTPUT_VARIABLE answer
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${answer}" PARENT_SCOPE)
endfunction()

# A static library by its file name; the compiler knows its own runtime libraries' places.
function(croton_find_archive variable file package)
  if(NOT ${variable})
    execute_process(COMMAND "${CMAKE_CXX_COMPILER}" "-print-file-name=${file}"
                    OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT IS_ABSOLUTE "${path}")
      unset(path)
      find_library(path NAMES "${file}" PATH_SUFFIXES ${ARGN} NO_CACHE)
    endif()
    if(NOT path)
      message(FATAL_ERROR "${file} was not found. On Debian and Ubuntu it is in the package ${package}; "
                          "or give its place with -D${variable}=/path/${file}")
    endif()
    set(${variable} "${path}" CACHE FILEPATH "The static library ${file}")
  endif()
endfunction()

croton_ask_llvm(croton_llvm_version --version)
if(NOT croton_llvm_version MATCHES "^19\\.")
  message(FATAL_ERROR "Croton needs LLVM 19; ${CROTON_LLVM_CONFIG} is of LLVM ${croton_llvm_version}. "
                      "Give another with -DCROTON_LLVM_CONFIG=/path/llvm-config-19")
endif()
croton_ask_llvm(croton_llvm_include --includedir)
croton_ask_llvm(croton_llvm_bin --bindir)
croton_ask_llvm(croton_llvm_archives --link-static --libfiles
                orcjit passes native bitreader bitwriter irreader linker)
separate_arguments(croton_llvm_archives)
list(LENGTH croton_llvm_archives count)
message(STATUS "LLVM ${croton_llvm_version}: ${count} static libraries")

find_library(CROTON_OPENBLAS NAMES libopenblas.a
             PATH_SUFFIXES openblas-serial x86_64-linux-gnu/openblas-serial
             aarch64-linux-gnu/openblas-serial NO_CMAKE_SYSTEM_PATH
             PATHS /usr/lib /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}
             DOC "Static single-threaded OpenBLAS with LAPACK (libopenblas-serial-dev)" REQUIRED)
find_path(CROTON_OPENBLAS_INCLUDE NAMES cblas.h
          PATHS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-serial NO_DEFAULT_PATH REQUIRED)
croton_find_archive(CROTON_LIBGFORTRAN libgfortran.a gfortran)
croton_find_archive(CROTON_LIBZ libz.a zlib1g-dev)
croton_find_archive(CROTON_LIBZSTD libzstd.a libzstd-dev)
set(croton_fortran "${CROTON_LIBGFORTRAN}")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  croton_find_archive(CROTON_LIBQUADMATH libquadmath.a gfortran)
  list(APPEND croton_fortran "${CROTON_LIBQUADMATH}")
endif()
find_package(Threads REQUIRED)

add_library(croton_llvm INTERFACE)
target_include_directories(croton_llvm SYSTEM INTERFACE "${croton_llvm_include}")
target_compile_definitions(croton_llvm INTERFACE __STDC_CONSTANT_MACROS __STDC_FORMAT_MACROS
                                                 __STDC_LIMIT_MACROS)
add_library(croton_blas INTERFACE)
target_include_directories(croton_blas SYSTEM INTERFACE "${CROTON_OPENBLAS_INCLUDE}")
add_library(croton_zlib INTERFACE)

add_library(croton_foreign INTERFACE)
target_link_libraries(
  croton_foreign INTERFACE -Wl,--start-group "${CROTON_OPENBLAS}" ${croton_fortran} "${CROTON_LIBZ}"
                           -Wl,--end-group ${CMAKE_DL_LIBS} rt m)
# Debian's LLVM keeps the name of each scheduling class, for printing what nobody prints here: a third of all
# relocations, 240 pages that every process would write when it opens the code generator (0.5 ms). Without
# them these tables are read from the file, their names no text.
find_program(CROTON_OBJCOPY NAMES objcopy llvm-objcopy-19 HINTS "${croton_llvm_bin}"
             DOC "objcopy of binutils or LLVM")
function(croton_without_class_names archives)
  set(result "")
  foreach(archive IN LISTS ${archives})
    get_filename_component(name "${archive}" NAME)
    if(CROTON_OBJCOPY AND name MATCHES "^libLLVM[A-Za-z0-9]+Desc\\.a$")
      set(trimmed "${PROJECT_BINARY_DIR}/foreign/${name}")
      if("${archive}" IS_NEWER_THAN "${trimmed}")
        file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/foreign")
        execute_process(COMMAND "${CROTON_OBJCOPY}" --wildcard
                                "--remove-relocations=.data.rel.ro.*ModelSchedClassesE" "${archive}" "${trimmed}"
                        COMMAND_ERROR_IS_FATAL ANY)
      endif()
      set(archive "${trimmed}")
    endif()
    list(APPEND result "${archive}")
  endforeach()
  set(${archives} "${result}" PARENT_SCOPE)
endfunction()
croton_without_class_names(croton_llvm_archives)
add_library(croton_llvm_code INTERFACE)
target_link_libraries(
  croton_llvm_code INTERFACE -Wl,--start-group ${croton_llvm_archives} "${CROTON_LIBZ}"
                             "${CROTON_LIBZSTD}" -Wl,--end-group ${CMAKE_DL_LIBS} rt m)
# OpenBLAS's single-threaded build hands out its work buffers without a lock; croton/runtime/blas_memory.cpp
# stands before both functions.
target_link_options(croton_foreign INTERFACE -Wl,--wrap=blas_memory_alloc
                                             -Wl,--wrap=blas_memory_free)
