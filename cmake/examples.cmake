# examples/*.cpp: one program each. benchmarks/*.cpp: one program each, built by the target `benchmarks`.

function(croton_programs folder)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*.cpp")
  foreach(source IN LISTS sources)
    get_filename_component(name "${source}" NAME_WE)
    set(target "${folder}_${name}")
    add_executable(${target} ${ARGN} "${source}")
    target_link_libraries(${target} PRIVATE croton croton_flags)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY
                                                                    "${PROJECT_BINARY_DIR}/${folder}")
    list(APPEND targets ${target})
  endforeach()
  add_custom_target(${folder} DEPENDS ${targets})
endfunction()

croton_programs(examples)
croton_programs(benchmarks EXCLUDE_FROM_ALL)
