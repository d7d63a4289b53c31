# The libraries that we build on, all of them packages of Debian 12. Each is named by the target to link:
#   Boost::headers  protobuf::libprotobuf  CLI11::CLI11  nlohmann_json::nlohmann_json
#   tomlplusplus::tomlplusplus  OpenSSL::SSL  OpenSSL::Crypto  mimalloc  prometheus-cpp::core  spdlog::spdlog
#   Threads::Threads
# and, for tests and benchmarks only (linked by raftlab_library by itself):
#   GTest::gtest_main  GTest::gmock  rapidcheck  rapidcheck_gtest  benchmark::benchmark_main

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 CONFIG REQUIRED)
# Debian's protobuf has no CONFIG file; this is the module that comes with CMake.
find_package(Protobuf 3.21 MODULE REQUIRED)
find_package(CLI11 2.1 CONFIG REQUIRED)
find_package(nlohmann_json 3.11 CONFIG REQUIRED)
find_package(tomlplusplus 3.3 CONFIG REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(spdlog 1.10 CONFIG REQUIRED)
find_package(mimalloc 2.0 CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)  # it does not tell its version

if(RAFTLAB_TESTS)
  find_package(GTest 1.12 CONFIG REQUIRED)
  find_package(rapidcheck CONFIG REQUIRED)
  include(GoogleTest)
endif()

if(RAFTLAB_BENCHMARKS)
  find_package(benchmark 1.7 CONFIG REQUIRED)
endif()
