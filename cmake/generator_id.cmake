# cmake -DLIBRARY= -DREADELF= -DOUTPUT= -P generator_id.cmake: a C++ source with a library's file name and the
# build identity that the linker gave it.

execute_process(COMMAND "${READELF}" -n "${LIBRARY}" OUTPUT_VARIABLE notes COMMAND_ERROR_IS_FATAL ANY)
if(NOT notes MATCHES "Build ID: ([0-9a-f]+)")
  message(FATAL_ERROR "${LIBRARY} has no build identity")
endif()
set(id "${CMAKE_MATCH_1}")
get_filename_component(name "${LIBRARY}" NAME)
file(WRITE "${OUTPUT}" "extern const char croton_generator_name[];
extern const char croton_generator_id[];
const char croton_generator_name[] = \"${name}\";
const char croton_generator_id[] = \"${id}\";
")
