# One folder, one library. The CMakeLists.txt of a folder is one call of
#
#   raftlab_library(NAME <target>
#                   [SOURCES <file>...]          more sources, for example generated ones
#                   [EXCLUDE <file>...]          files of the folder that are not part of the library
#                   [DEPENDS <target>...]        libraries that its headers include
#                   [PRIVATE_DEPENDS <target>...] libraries that only its .cpp files include
#                   [TEST_DEPENDS <target>...]   libraries that only tests, benchmarks and fuzzers include
#                   [SCENARIO_PROPERTIES <name> <value>...])  more properties of its scenario tests
#
# and the names of the files in the folder (not in its sub-folders) say what becomes of them:
#
#   *_property_test.cpp   executable <target>_property_test, label "property"
#   *_scenario_test.cpp   executable <target>_scenario_test, label "scenario"
#   *_sim_test.cpp        executable <target>_sim_test,      label "sim"
#   *_test.cpp            executable <target>_test,          label "unit"
#   *_bench.cpp           executable <target>_bench
#   *_fuzz.cpp            one executable <target>_<file name> each, with RAFTLAB_FUZZERS
#   *.proto               <target>_proto, included as "<folder>/<name>.pb.h"
#   any other *.cpp       the library; without one it is an INTERFACE library
#
# Tests run in the root of the repository, with the seed of cmake/test_seed.cpp. A new file is seen by the next build;
# nothing has to be listed.

# Adds the folders that exist, in the order given.
function(raftlab_folders)
  foreach(folder IN LISTS ARGN)
    if(EXISTS "${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt")
      # A binary directory of its own: raft/wal is listed here, not in raft/CMakeLists.txt.
      add_subdirectory("${PROJECT_SOURCE_DIR}/${folder}" "${PROJECT_BINARY_DIR}/${folder}")
    endif()
  endforeach()
endfunction()

# Sets ${result} to the files in the current folder that match the glob pattern, as absolute paths, sorted.
function(raftlab_glob result pattern)
  file(GLOB files CONFIGURE_DEPENDS LIST_DIRECTORIES false "${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
  list(SORT files)
  set(${result} "${files}" PARENT_SCOPE)
endfunction()

# Moves what matches the regular expression from the list ${files} to the list ${taken}.
function(raftlab_take taken files regex)
  set(matching "${${files}}")
  set(rest "${${files}}")
  list(FILTER matching INCLUDE REGEX "${regex}")
  list(FILTER rest EXCLUDE REGEX "${regex}")
  set(${taken} "${matching}" PARENT_SCOPE)
  set(${files} "${rest}" PARENT_SCOPE)
endfunction()

function(raftlab_library)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;EXCLUDE;DEPENDS;PRIVATE_DEPENDS;TEST_DEPENDS;SCENARIO_PROPERTIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME)
    message(FATAL_ERROR "raftlab_library: NAME is missing or not understood: ${arg_UNPARSED_ARGUMENTS}")
  endif()

  raftlab_glob(sources "*.cpp")
  raftlab_glob(headers "*.hpp")
  raftlab_glob(protos "*.proto")
  foreach(file IN LISTS arg_EXCLUDE)
    list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()

  raftlab_take(property_tests sources "_property_test\\.cpp$")
  raftlab_take(scenario_tests sources "_scenario_test\\.cpp$")
  raftlab_take(sim_tests sources "_sim_test\\.cpp$")
  raftlab_take(unit_tests sources "_test\\.cpp$")
  raftlab_take(benchmarks sources "_bench\\.cpp$")
  raftlab_take(fuzzers sources "_fuzz\\.cpp$")
  list(APPEND sources ${arg_SOURCES})

  if(protos)
    raftlab_protobuf(${arg_NAME}_proto ${protos})
    list(APPEND arg_DEPENDS ${arg_NAME}_proto)
  endif()

  if(sources)
    add_library(${arg_NAME} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(${arg_NAME} PRIVATE raftlab_warnings raftlab_lto_objects)
  else()
    add_library(${arg_NAME} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_compile_features(${arg_NAME} ${scope} cxx_std_20)
  target_include_directories(${arg_NAME} ${scope} "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${arg_NAME} ${scope} ${arg_DEPENDS})
  if(sources AND arg_PRIVATE_DEPENDS)
    target_link_libraries(${arg_NAME} PRIVATE ${arg_PRIVATE_DEPENDS})
  endif()
  raftlab_check_headers(${arg_NAME} ${headers})

  set(test_depends ${arg_NAME} ${arg_PRIVATE_DEPENDS} ${arg_TEST_DEPENDS})
  if(RAFTLAB_TESTS)
    raftlab_tests(${arg_NAME}_test unit 120 FILES ${unit_tests} DEPENDS ${test_depends})
    raftlab_tests(${arg_NAME}_property_test property 300 FILES ${property_tests} DEPENDS ${test_depends})
    raftlab_tests(${arg_NAME}_scenario_test scenario 300 FILES ${scenario_tests} DEPENDS ${test_depends}
                  PROPERTIES ${arg_SCENARIO_PROPERTIES})
    raftlab_tests(${arg_NAME}_sim_test sim 900 FILES ${sim_tests} DEPENDS ${test_depends})
  endif()

  if(RAFTLAB_BENCHMARKS AND benchmarks)
    add_executable(${arg_NAME}_bench ${benchmarks})
    target_link_libraries(${arg_NAME}_bench PRIVATE ${test_depends} benchmark::benchmark_main raftlab_warnings
                                                  raftlab_lto_link)
    # All of them, whatever folders there are.
    if(NOT TARGET raftlab_benchmarks)
      add_custom_target(raftlab_benchmarks)
    endif()
    add_dependencies(raftlab_benchmarks ${arg_NAME}_bench)
  endif()

  if(RAFTLAB_FUZZERS)
    foreach(file IN LISTS fuzzers)
      get_filename_component(name "${file}" NAME_WE)
      add_executable(${arg_NAME}_${name} "${file}")
      target_link_libraries(${arg_NAME}_${name} PRIVATE ${test_depends} raftlab_warnings)
      target_link_options(${arg_NAME}_${name} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# A command line tool: main.cpp is the executable <NAME>, the rest of the folder is the library <NAME>_cli, so
# that it can be tested. Takes the arguments of raftlab_library. Without a main.cpp there is no executable.
function(raftlab_tool)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "DEPENDS")
  raftlab_library(NAME ${arg_NAME}_cli EXCLUDE main.cpp DEPENDS ${arg_DEPENDS} ${arg_UNPARSED_ARGUMENTS})
  raftlab_glob(main "main.cpp")
  if(main)
    add_executable(${arg_NAME} ${main})
    target_link_libraries(${arg_NAME} PRIVATE ${arg_NAME}_cli raftlab_warnings raftlab_lto_objects
                                              raftlab_lto_link)
  endif()
endfunction()

# raftlab_tests(<executable> <label> <timeout in seconds> FILES ... DEPENDS ... [PROPERTIES ...])
function(raftlab_tests executable label timeout_s)
  cmake_parse_arguments(PARSE_ARGV 3 arg "" "" "FILES;DEPENDS;PROPERTIES")
  if(NOT arg_FILES)
    return()
  endif()
  add_executable(${executable} ${arg_FILES})
  target_link_libraries(${executable} PRIVATE ${arg_DEPENDS} GTest::gtest_main GTest::gmock rapidcheck rapidcheck_gtest
                                              raftlab_warnings raftlab_test_options raftlab_plain_link)
  # An object library, not a source of each test: compiled once.
  if(NOT TARGET raftlab_test_seed)
    add_library(raftlab_test_seed OBJECT "${PROJECT_SOURCE_DIR}/cmake/test_seed.cpp")
    target_link_libraries(raftlab_test_seed PRIVATE raftlab_warnings)
  endif()
  target_link_libraries(${executable} PRIVATE raftlab_test_seed)
  # raftlab_unit_tests and the like: all executables of a label, whatever folders there are.
  if(NOT TARGET raftlab_${label}_tests)
    add_custom_target(raftlab_${label}_tests)
  endif()
  add_dependencies(raftlab_${label}_tests ${executable})
  if(RAFTLAB_TEST_PCH)
    raftlab_reuse_test_pch(${executable})
  endif()

  if(RAFTLAB_SANITIZE OR RAFTLAB_COVERAGE)
    math(EXPR timeout_s "${timeout_s} * 5")
  endif()
  # raftlab_raft_wal_property_test gives tests named raft_wal.Suite.test.
  string(REGEX REPLACE "^raftlab_(.*)$" "\\1" prefix "${executable}")
  string(REGEX REPLACE "(_property|_scenario|_sim)?_test$" "" prefix "${prefix}")
  # PRE_TEST asks the executable for its tests when ctest starts, not in the middle of every build.
  gtest_discover_tests(
    ${executable}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    TEST_PREFIX "${prefix}."
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    PROPERTIES LABELS ${label} TIMEOUT ${timeout_s} ${arg_PROPERTIES})
endfunction()

# One precompiled header for all test executables.
function(raftlab_reuse_test_pch executable)
  if(NOT TARGET raftlab_test_pch)
    file(WRITE "${PROJECT_BINARY_DIR}/test_pch.cpp.in" "")
    configure_file("${PROJECT_BINARY_DIR}/test_pch.cpp.in" "${PROJECT_BINARY_DIR}/test_pch.cpp" COPYONLY)
    add_library(raftlab_test_pch OBJECT "${PROJECT_BINARY_DIR}/test_pch.cpp")
    target_link_libraries(raftlab_test_pch PRIVATE GTest::gtest GTest::gmock rapidcheck rapidcheck_gtest
                                                   raftlab_warnings raftlab_test_options)
    target_precompile_headers(raftlab_test_pch PRIVATE "${PROJECT_SOURCE_DIR}/cmake/test_pch.hpp")
    # Executables differ in include directories and definitions; where that makes g++ refuse the precompiled
    # header, it reads the text, and that is no error.
    set_target_properties(raftlab_test_pch PROPERTIES PCH_WARN_INVALID OFF)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      # Otherwise a time stamp in the precompiled header makes every test miss the compiler cache.
      target_compile_options(raftlab_test_pch PUBLIC "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
  target_precompile_headers(${executable} REUSE_FROM raftlab_test_pch)
  set_target_properties(${executable} PROPERTIES PCH_WARN_INVALID OFF)
endfunction()

# Compiles .proto files, whose include root is the root of the repository, to the static library <target>.
function(raftlab_protobuf target)
  set(generated)
  foreach(proto IN LISTS ARGN)
    file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${proto}")
    string(REGEX REPLACE "\\.proto$" "" stem "${path}")
    set(output "${RAFTLAB_GENERATED_DIR}/${stem}.pb")
    add_custom_command(
      OUTPUT "${output}.cc" "${output}.h"
      COMMAND protobuf::protoc "--proto_path=${PROJECT_SOURCE_DIR}" "--cpp_out=${RAFTLAB_GENERATED_DIR}"
              "--dependency_out=${output}.d" "${path}"
      DEPENDS "${proto}" protobuf::protoc
      DEPFILE "${output}.d"
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
      COMMENT "protoc ${path}"
      VERBATIM)
    list(APPEND generated "${output}.cc" "${output}.h")
  endforeach()
  add_library(${target} STATIC ${generated})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -w)
  # SYSTEM: our warnings stop at the door of generated code.
  target_include_directories(${target} SYSTEM PUBLIC "${RAFTLAB_GENERATED_DIR}")
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf)
  set_property(GLOBAL APPEND PROPERTY RAFTLAB_PROTO_TARGETS ${target})
endfunction()

# Every header compiles alone: the target raftlab_headers compiles each of them as the only include of a file.
# It is not part of a normal build.
function(raftlab_check_headers library)
  if(NOT ARGN)
    return()
  endif()
  set(units)
  foreach(header IN LISTS ARGN)
    file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${header}")
    set(unit "${PROJECT_BINARY_DIR}/headers/${path}.cpp")
    file(CONFIGURE OUTPUT "${unit}" CONTENT "#include \"${path}\"\n")
    list(APPEND units "${unit}")
  endforeach()
  add_library(${library}_headers OBJECT EXCLUDE_FROM_ALL ${units})
  target_link_libraries(${library}_headers PRIVATE ${library} raftlab_warnings)
  if(NOT TARGET raftlab_headers)
    add_custom_target(raftlab_headers)
  endif()
  add_dependencies(raftlab_headers ${library}_headers)
endfunction()
