# How our code is compiled: language, warnings, sanitizers, compiler cache and linker.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")

# What protoc writes; the tree below it mirrors the repository: generated/raft/wire/messages.pb.h.
set(RAFTLAB_GENERATED_DIR "${PROJECT_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${RAFTLAB_GENERATED_DIR}")

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "g++ 12 or newer is needed, found ${CMAKE_CXX_COMPILER_VERSION}")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR "clang 14 or newer is needed, found ${CMAKE_CXX_COMPILER_VERSION}")
endif()

# Warnings are for our own code only: every target made by raftlab_library links this, generated code does not.
add_library(raftlab_warnings INTERFACE)
target_compile_options(
  raftlab_warnings
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wconversion
            -Wshadow
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wold-style-cast
            # Members that a designated initializer leaves out have their default: that is what it is for.
            -Wno-missing-field-initializers
            # g++ 12 warns of its own std::string (GCC bugs 105329 and 105651); clang and the sanitizers look for the
            # same mistakes without that.
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
            # An empty __VA_ARGS__ is legal C++20; clang 14 still calls it an extension (gtest and rapidcheck
            # macros are full of it).
            $<$<CXX_COMPILER_ID:Clang>:-Wno-gnu-zero-variadic-macro-arguments>
            $<$<BOOL:${RAFTLAB_WERROR}>:-Werror>)

# File names in assertions and in test output are relative to the repository, whoever builds it and where.
add_compile_options("-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=" -fdiagnostics-color=always)

if(RAFTLAB_SANITIZE)
  add_compile_options("-fsanitize=${RAFTLAB_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options("-fsanitize=${RAFTLAB_SANITIZE}")
  if(RAFTLAB_SANITIZE MATCHES "undefined")
    # A third of the time of a compiler goes into these checks of every access through a pointer. A null pointer and an
    # object that is too small end in a report of AddressSanitizer, too; a polymorphic class is nowhere cast to another.
    add_compile_options(-fno-sanitize=null,object-size,vptr)
  endif()
  # Asio recycles coroutine frames through a thread-local cache, which hides use after free from the sanitizers.
  add_compile_definitions(BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
endif()

# Tests are half of all code, and most of them spend their time in the libraries: what optimises those, or looks for
# undefined behaviour there, would only make the tests compile longer.
add_library(raftlab_test_options INTERFACE)
target_compile_options(raftlab_test_options INTERFACE ${RAFTLAB_TEST_OPTIONS})

if(RAFTLAB_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

if(RAFTLAB_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "RAFTLAB_FUZZERS needs clang")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# The libraries hold machine code too, so that only what is run for its speed, tools and benchmarks, pays for the
# optimisation at link time; tests link as ever.
add_library(raftlab_lto_objects INTERFACE)
add_library(raftlab_lto_link INTERFACE)
add_library(raftlab_plain_link INTERFACE)
if(RAFTLAB_LTO)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "RAFTLAB_LTO needs g++")
  endif()
  target_compile_options(raftlab_lto_objects INTERFACE -flto=auto -ffat-lto-objects)
  # The linker's turn knows nothing of the pragmas and options by which g++ 12 was told of its false alarms.
  target_link_options(raftlab_lto_link INTERFACE -flto=auto -Wno-stringop-overflow -Wno-array-bounds
                      -Wno-restrict -Wno-alloc-size-larger-than)
  # Not said, g++ hands the linker its plugin, which optimises all the same.
  target_link_options(raftlab_plain_link INTERFACE -fno-lto)
endif()

if(RAFTLAB_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(RAFTLAB_CCACHE_PROGRAM ccache)
  if(RAFTLAB_CCACHE_PROGRAM)
    # The sloppiness lets ccache work together with a precompiled header (see its manual).
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${RAFTLAB_CCACHE_PROGRAM}")
  endif()
endif()

if(RAFTLAB_MOLD)
  find_program(RAFTLAB_MOLD_PROGRAM mold)
  if(RAFTLAB_MOLD_PROGRAM)
    add_link_options(-fuse-ld=mold)
  endif()
endif()
