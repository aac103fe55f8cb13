# The extension module croton._core from python/binding/*.cpp, by nanobind.
#
# In the build tree the package stands complete in <build>/python/croton: links to the Python files, the
# module and its type stub (run with PYTHONPATH=<build>/python). In a wheel (component `python`) the
# module, libcroton.so and the code generator lie side by side in the package; the first two find each other by
# $ORIGIN, the last is opened by its place.

if(NOT DEFINED Python_EXECUTABLE AND EXISTS "${PROJECT_SOURCE_DIR}/.venv/bin/python")
  set(Python_EXECUTABLE "${PROJECT_SOURCE_DIR}/.venv/bin/python")
endif()
find_package(Python 3.10 COMPONENTS Interpreter Development.Module REQUIRED)

file(GLOB croton_binding CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/python/binding/*.cpp")
if(NOT croton_binding)
  message(STATUS "python/binding has no sources: no extension module")
  return()
endif()

execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
                OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE status)
if(status)
  message(FATAL_ERROR "${Python_EXECUTABLE} has no nanobind: '${Python_EXECUTABLE} -m pip install nanobind', "
                      "or choose a Python that has it with -DPython_EXECUTABLE=...")
endif()
find_package(nanobind CONFIG REQUIRED)

set(package "${PROJECT_BINARY_DIR}/python/croton")
nanobind_add_module(_core NB_STATIC ${croton_binding})
target_link_libraries(_core PRIVATE croton croton_flags)
set_target_properties(_core PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${package}" INSTALL_RPATH "$ORIGIN")
# nanobind's headers are a library's, not ours to keep free of warnings.
get_target_property(nanobind_library _core LINK_LIBRARIES)
foreach(library IN LISTS nanobind_library)
  if(library MATCHES "^nanobind")
    get_target_property(include ${library} INTERFACE_INCLUDE_DIRECTORIES)
    target_include_directories(_core SYSTEM PRIVATE ${include})
  endif()
endforeach()

file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/python/croton"
     "${PROJECT_SOURCE_DIR}/python/croton/*.py" "${PROJECT_SOURCE_DIR}/python/croton/*.pyi"
     "${PROJECT_SOURCE_DIR}/python/croton/py.typed")
foreach(file IN LISTS files)
  get_filename_component(folder "${package}/${file}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/python/croton/${file}" "${package}/${file}" SYMBOLIC)
endforeach()

install(TARGETS _core LIBRARY DESTINATION croton COMPONENT python)
if(SKBUILD)
  install(TARGETS croton LIBRARY DESTINATION croton COMPONENT python NAMELINK_SKIP)
  install(TARGETS croton_generator LIBRARY DESTINATION croton COMPONENT python)
endif()

# The stub of the module is read off the module itself, alone: its Python package need not import.
# (Not under a sanitizer, whose run-time library would have to come before Python.)
if(NOT croton_sanitizer)
  nanobind_add_stub(_core_stub MODULE _core OUTPUT "${package}/_core.pyi" PYTHON_PATH "${package}"
                    DEPENDS _core)
  install(FILES "${package}/_core.pyi" DESTINATION croton COMPONENT python)
  # The functions that Python makes of the catalogue have stubs, too.
  add_custom_command(
    OUTPUT "${package}/tensor/__init__.pyi" "${package}/tensor/_ops.pyi"
    COMMAND "${Python_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/python/binding/make_stubs.py" "${package}"
    DEPENDS _core_stub "${PROJECT_SOURCE_DIR}/python/binding/make_stubs.py"
            "${PROJECT_SOURCE_DIR}/python/croton/tensor/_names.py"
            "${PROJECT_SOURCE_DIR}/python/croton/tensor/_more.py"
            "${PROJECT_SOURCE_DIR}/python/croton/tensor/extra_ops.py" "${package}/_core.pyi"
    COMMENT "Type stubs of croton.tensor" VERBATIM)
  add_custom_target(croton_stubs ALL DEPENDS "${package}/tensor/__init__.pyi")
  install(FILES "${package}/tensor/__init__.pyi" "${package}/tensor/_ops.pyi"
          DESTINATION croton/tensor COMPONENT python)
endif()
