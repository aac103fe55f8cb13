# LLVM and all that sees it: a library beside libcroton.so that is opened when the first kernel has to be
# made (croton/backend/cpu/generator.hpp). Inside of libcroton.so, LLVM's hundred thousand relocations and
# three hundred constructors would be the price of every start, of programs too whose code is all made before.
#
# Each knows the other. The generator names libcroton.so as a library that it needs: by an empty stand-in of
# that name, as the real one is linked later. libcroton.so holds the generator's build identity, so that it
# opens no other, and so that what is kept on disk under its own identity is kept under the generator's too.

set(croton_generator_sources "/croton/backend/cpu/(emit_[a-z]+|jit|link)\\.cpp$")
set(croton_version "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
set(folder "${PROJECT_BINARY_DIR}/generator")

file(CONFIGURE OUTPUT "${folder}/stand_in.cpp" CONTENT "")
add_library(croton_stand_in SHARED "${folder}/stand_in.cpp")
set_target_properties(croton_stand_in PROPERTIES OUTPUT_NAME croton SOVERSION "${croton_version}"
                                                 LIBRARY_OUTPUT_DIRECTORY "${folder}")

file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/croton/backend/cpu/*.cpp")
list(FILTER sources INCLUDE REGEX "${croton_generator_sources}")
add_library(croton_generator MODULE ${sources} ${croton_maths_object})
# One version's libraries may lie beside another's.
set_target_properties(croton_generator PROPERTIES OUTPUT_NAME "croton-llvm-${croton_version}"
                                                  LINKER_LANGUAGE CXX BUILD_WITH_INSTALL_RPATH ON
                                                  LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/generator.map")
target_include_directories(croton_generator PRIVATE "${PROJECT_BINARY_DIR}/generated")
target_link_libraries(croton_generator PRIVATE croton_flags croton_llvm -Wl,--no-as-needed croton_stand_in
                                               croton_llvm_code)
target_link_options(croton_generator PRIVATE "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/generator.map"
                                             -Wl,--build-id=sha1 -Wl,--gc-sections)

set(croton_generator_id "${folder}/id.cpp")
add_custom_command(
  OUTPUT "${croton_generator_id}"
  COMMAND "${CMAKE_COMMAND}" "-DLIBRARY=$<TARGET_FILE:croton_generator>" "-DREADELF=${CMAKE_READELF}"
          "-DOUTPUT=${croton_generator_id}" -P "${PROJECT_SOURCE_DIR}/cmake/generator_id.cmake"
  DEPENDS croton_generator "${PROJECT_SOURCE_DIR}/cmake/generator_id.cmake"
  COMMENT "Identity of the code generator" VERBATIM)
