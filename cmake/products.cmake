# The inner loops of matrix products are compiled once a level of vectors; which one runs is decided at run
# time (croton/runtime/products/products.cpp). They are optimised in every build type but those that look
# for mistakes, may fuse multiplications with additions, and pass vectors between inlined functions only.
set(products "${PROJECT_SOURCE_DIR}/croton/runtime/products")
set(options -O3 -ffp-contract=fast -Wno-psabi)
set_source_files_properties("${products}/tiles_base.cpp" PROPERTIES COMPILE_OPTIONS "${options}")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties("${products}/tiles_avx2.cpp" PROPERTIES COMPILE_OPTIONS
                                                                    "${options};-march=x86-64-v3")
  set_source_files_properties("${products}/tiles_avx512.cpp" PROPERTIES COMPILE_OPTIONS
                                                                      "${options};-march=x86-64-v4")
endif()
