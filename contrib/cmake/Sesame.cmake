# What every target shares, and the functions the folders are declared with.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(PSL REQUIRED IMPORTED_TARGET libpsl)
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)

add_library(sesame_flags INTERFACE)
target_compile_options(sesame_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual)
target_link_libraries(sesame_flags INTERFACE Threads::Threads)
if(SESAME_SANITIZE)
  target_compile_options(sesame_flags INTERFACE -fsanitize=${SESAME_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=undefined)
  target_link_options(sesame_flags INTERFACE -fsanitize=${SESAME_SANITIZE})
endif()

# sesame_library(NAME USES layer... LINKS external...)
# One static library per folder of lib/. The include root is lib/, so an include names its layer; USES lists the layers
# this folder may use, and is the layer table that tests/lint checks the includes against. No header here includes what
# LINKS names, so it stays the folder's own.
function(sesame_library name)
  cmake_parse_arguments(arg "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(sesame_${name} STATIC ${sources})
  add_library(sesame::${name} ALIAS sesame_${name})
  target_include_directories(sesame_${name} PUBLIC ${PROJECT_SOURCE_DIR}/lib)
  target_link_libraries(sesame_${name} PUBLIC tl::expected fmt::fmt PRIVATE sesame_flags ${arg_LINKS})
  foreach(layer ${arg_USES})
    target_link_libraries(sesame_${name} PUBLIC sesame::${layer})
  endforeach()
endfunction()

# sesame_program(TARGET OUTPUT name USES layer... LINKS external...)
function(sesame_program target)
  cmake_parse_arguments(arg "" "OUTPUT" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(${target} ${sources})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_OUTPUT}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  target_compile_definitions(${target} PRIVATE SESAME_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${target} PRIVATE sesame_flags ${arg_LINKS})
  foreach(layer ${arg_USES})
    target_link_libraries(${target} PRIVATE sesame::${layer})
  endforeach()
endfunction()

# sesame_test(NAME USES layer... LINKS external...)
# One GoogleTest program per folder of tests/; each TEST is a ctest of its own, named NAME/Suite.Case.
function(sesame_test name)
  cmake_parse_arguments(arg "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(${name}_test ${sources})
  target_link_libraries(${name}_test PRIVATE sesame_flags sesame_test_support GTest::gmock GTest::gtest_main ${arg_LINKS})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_test PRIVATE
    SESAME_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SESAME_BINARY_DIR="${PROJECT_BINARY_DIR}")
  foreach(layer ${arg_USES})
    target_link_libraries(${name}_test PRIVATE sesame::${layer})
  endforeach()
  gtest_discover_tests(${name}_test TEST_PREFIX ${name}/ DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()

# sesame_python_tests(NAME script...)
# Each test method of unittest scripts that run the programs is a ctest of its own, named NAME/Class.method.
function(sesame_python_tests name)
  foreach(script ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
    file(STRINGS ${script} lines REGEX "^class [A-Za-z]+|^    def test_[a-z0-9_]+")
    foreach(line ${lines})
      if(line MATCHES "^class ([A-Za-z]+)")
        set(class ${CMAKE_MATCH_1})
      elseif(line MATCHES "def (test_[a-z0-9_]+)")
        set(test ${name}/${class}.${CMAKE_MATCH_1})
        add_test(NAME ${test} COMMAND /usr/bin/python3 -B ${script} ${class}.${CMAKE_MATCH_1})
        set_tests_properties(${test} PROPERTIES TIMEOUT 120 SKIP_REGULAR_EXPRESSION "skipped="
          ENVIRONMENT "SESAME_BIN=${PROJECT_BINARY_DIR}/bin;SESAME_SOURCE=${PROJECT_SOURCE_DIR}")
      endif()
    endforeach()
  endforeach()
endfunction()
