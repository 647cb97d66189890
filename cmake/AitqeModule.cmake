# One module = one static library that names its sources and what it may include. The include
# rules of scripts/layers.txt are checked by tests/layers_test.py; this only links.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(aitqe_flags INTERFACE)
target_compile_options(aitqe_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-unused-parameter)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # gcc 12 warns about its own std::string at -O3 (gcc bugs 105329, 105651).
  target_compile_options(aitqe_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
endif()
if(AITQE_WERROR)
  target_compile_options(aitqe_flags INTERFACE -Werror)
endif()
if(CMAKE_UNITY_BUILD)
  # What is right in a source of its own: a name that a header behind it has too, and for gcc a class with
  # a member of an unnamed namespace.
  target_compile_options(aitqe_flags INTERFACE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(AITQE_SANITIZE)
  target_compile_options(aitqe_flags INTERFACE -fsanitize=${AITQE_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all
                                               # gcc's manual: false positives beside sanitizers
                                               $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(aitqe_flags INTERFACE -fsanitize=${AITQE_SANITIZE})
endif()

# aitqe_module(NAME SOURCES ... USES modules... LINKS external targets...)
function(aitqe_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS" ${ARGN})
  add_library(aitqe_${name} STATIC ${ARG_SOURCES})
  set_target_properties(aitqe_${name} PROPERTIES
    UNITY_BUILD_CODE_BEFORE_INCLUDE "// NOLINTNEXTLINE(bugprone-suspicious-include)")
  target_include_directories(aitqe_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(aitqe_${name} PRIVATE aitqe_flags)
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(aitqe_${name} PUBLIC aitqe_${used})
  endforeach()
  target_link_libraries(aitqe_${name} PUBLIC ${ARG_LINKS})
endfunction()

# aitqe_test(MODULE SOURCES ... [LINKS ...] [ATEN]): one executable per module; ctest runs each test in a process of its
# own, but with sanitizers, where a process takes long to start, all of a module in one. ATEN: its module uses libtorch.
function(aitqe_test module)
  cmake_parse_arguments(ARG "ATEN" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${module}_test ${ARG_SOURCES})
  target_include_directories(${module}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(${module}_test PRIVATE
    AITQE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(${module}_test PRIVATE aitqe_flags aitqe_${module} ${ARG_LINKS}
                        GTest::gtest_main GTest::gmock)
  # Optimising tests takes longer than running them.
  target_compile_options(${module}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  # One precompiled copy of what nearly all tests include, and one more with ATen's headers.
  set(headers <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp>)
  if(module STREQUAL "nn")
    target_precompile_headers(nn_test PRIVATE <ATen/ATen.h> ${headers})
  elseif(ARG_ATEN)
    target_precompile_headers(${module}_test REUSE_FROM nn_test)
  elseif(module STREQUAL "base")
    target_precompile_headers(base_test PRIVATE ${headers})
  elseif(TARGET base_test)
    target_precompile_headers(${module}_test REUSE_FROM base_test)
  endif()
  if(AITQE_SANITIZE)
    add_test(NAME ${module} COMMAND ${module}_test --gtest_brief=1)
    # An allocation that is too big must come back as it does without sanitizers.
    set_tests_properties(${module} PROPERTIES TIMEOUT 1800 ENVIRONMENT "ASAN_OPTIONS=allocator_may_return_null=1")
  else()
    gtest_discover_tests(${module}_test TEST_PREFIX ${module}. DISCOVERY_TIMEOUT 60
                         PROPERTIES TIMEOUT 600)
  endif()
endfunction()
