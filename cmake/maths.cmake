# Croton's own vector maths: croton/backend/cpu/maths/*.cpp go through clang 19 to LLVM bitcode and into
# the library as bytes, to be inlined into generated code at run time. The library then has
#
#   extern const unsigned char croton_maths_bitcode[];
#   extern const std::size_t croton_maths_bitcode_size;
#
# CROTON_MATHS_FLAGS are the flags of that compilation; whoever owns backend/cpu decides them. The
# target must stay the lowest one of the architecture, for the code goes into functions of any level.

set(CROTON_MATHS_FLAGS -O1 -fno-exceptions -fno-rtti -fno-math-errno -fno-trapping-math
                       -ffp-contract=off -fno-vectorize -fno-slp-vectorize -fno-unroll-loops
                       -fno-stack-protector
    CACHE STRING "Flags that compile croton/backend/cpu/maths to bitcode")

set(croton_maths_object "")
file(GLOB maths_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/croton/backend/cpu/maths/*.cpp")
if(maths_sources)
  find_program(CROTON_CLANG NAMES clang++-19 clang++ HINTS "${croton_llvm_bin}" NO_CMAKE_PATH
               DOC "clang++ 19, which makes the maths bitcode" REQUIRED)
  find_program(CROTON_LLVM_LINK NAMES llvm-link-19 llvm-link HINTS "${croton_llvm_bin}" REQUIRED)
  set(folder "${PROJECT_BINARY_DIR}/maths")
  file(MAKE_DIRECTORY "${folder}")
  set(modules "")
  foreach(source IN LISTS maths_sources)
    get_filename_component(name "${source}" NAME_WE)
    add_custom_command(
      OUTPUT "${folder}/${name}.bc"
      COMMAND "${CROTON_CLANG}" -std=c++20 ${CROTON_MATHS_FLAGS} -Wall -Wextra
              "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=" "-I${PROJECT_SOURCE_DIR}"
              -MD -MF "${folder}/${name}.d" -MT "${folder}/${name}.bc"
              -emit-llvm -c "${source}" -o "${folder}/${name}.bc"
      DEPENDS "${source}" DEPFILE "${folder}/${name}.d"
      COMMENT "Maths bitcode ${name}" VERBATIM COMMAND_EXPAND_LISTS)
    list(APPEND modules "${folder}/${name}.bc")
  endforeach()
  add_custom_command(
    OUTPUT "${folder}/croton_maths.bc"
    COMMAND "${CROTON_LLVM_LINK}" ${modules} -o "${folder}/croton_maths.bc"
    DEPENDS ${modules} COMMENT "Linking the maths bitcode" VERBATIM)
  file(CONFIGURE OUTPUT "${folder}/embed.cpp" @ONLY CONTENT [[
#include <cstddef>

asm(".section .rodata\n"
    ".balign 16\n"
    ".globl croton_maths_bitcode\n"
    ".hidden croton_maths_bitcode\n"
    "croton_maths_bitcode:\n"
    ".incbin \"@folder@/croton_maths.bc\"\n"
    ".globl croton_maths_bitcode_end\n"
    ".hidden croton_maths_bitcode_end\n"
    "croton_maths_bitcode_end:\n"
    ".byte 0\n"
    ".text\n");

__attribute__((visibility("hidden"))) extern const unsigned char croton_maths_bitcode[];
__attribute__((visibility("hidden"))) extern const unsigned char croton_maths_bitcode_end[];
extern const std::size_t croton_maths_bitcode_size;
const std::size_t croton_maths_bitcode_size =
    static_cast<std::size_t>(croton_maths_bitcode_end - croton_maths_bitcode);
]])
  add_library(croton_maths OBJECT "${folder}/embed.cpp")
  set_source_files_properties("${folder}/embed.cpp" PROPERTIES OBJECT_DEPENDS
                                                              "${folder}/croton_maths.bc")
  set_target_properties(croton_maths PROPERTIES CXX_COMPILER_LAUNCHER "")
  set(croton_maths_object $<TARGET_OBJECTS:croton_maths>)
endif()
