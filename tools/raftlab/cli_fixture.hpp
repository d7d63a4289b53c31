#pragma once

#include "raft/types.hpp"
#include "simulator/trace.hpp"
#include "tools/raftlab/app.hpp"
#include "tools/raftlab/recording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <sstream>
#include <streambuf>
#include <string>
#include <vector>

/// raftlab inside of a test: each test has a directory of its own, and what is printed is caught.
namespace raftlab::tool {

/// A profile that takes a moment.
inline constexpr const char* small_toml =
    "name = \"small\"\nbase = \"quiet\"\nnodes = 3\n[time]\nfault_phase_ms = 400\n"
    "[faults]\nmessage_loss = 50000\n";
/// Liveness is given no time, so that every seed violates a rung of it.
inline constexpr const char* violated_toml =
    "base = \"quiet\"\nnodes = 3\n[time]\nfault_phase_ms = 400\nhealing_s_max = 0\n";
/// The budget is used up before anything commits.
inline constexpr const char* inconclusive_toml =
    "base = \"quiet\"\nnodes = 3\n[time]\nfault_phase_ms = 400\nsteps_max = 5\n";
/// Ends only when it is stopped.
inline constexpr const char* endless_toml =
    "base = \"quiet\"\nnodes = 3\n[time]\nfault_phase_s = 300000\nsteps_max = 1000000000000\n";

/// A full disk behind a stream.
class FullDevice final : public std::streambuf {
 protected:
  int_type overflow(int_type /*character*/) override { return traits_type::eof(); }
  int sync() override { return -1; }
};

/// Puts another buffer behind a stream for as long as it lives.
class Redirected {
 public:
  Redirected(std::ostream& stream, std::streambuf* buffer) : stream_(stream), before_(stream.rdbuf(buffer)) {}
  ~Redirected() {
    stream_.rdbuf(before_);
    stream_.clear();
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

 private:
  std::ostream& stream_;
  std::streambuf* before_;
};

class CliTest : public testing::Test {
 protected:
  struct Ran {
    int code = 0;
    std::string out;
    std::string err;
  };

  void SetUp() override {
    // raftlab does it as well, and the first time it would undo the redirection.
    std::ios::sync_with_stdio(false);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread is there yet
    ::setenv("TERM", "dumb", 1);
    std::string name = (std::filesystem::temp_directory_path() / "raftlab-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    home_ = std::filesystem::current_path();
    directory_ = name;
    std::filesystem::current_path(directory_);
  }

  void TearDown() override {
    std::filesystem::current_path(home_);
    std::filesystem::remove_all(directory_);
  }

  static int call(const std::vector<std::string>& arguments) {
    std::vector<const char*> pointers{"raftlab"};
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    return tool::run(static_cast<int>(pointers.size()), pointers.data());
  }

  static Ran run(const std::vector<std::string>& arguments) {
    std::stringbuf out;
    std::stringbuf err;
    const Redirected to_out(std::cout, &out);
    const Redirected to_err(std::cerr, &err);
    Ran ran;
    ran.code = call(arguments);
    ran.out = out.str();
    ran.err = err.str();
    return ran;
  }

  /// With a stdout that takes nothing.
  static Ran run_on_full_device(const std::vector<std::string>& arguments) {
    FullDevice out;
    std::stringbuf err;
    const Redirected to_out(std::cout, &out);
    const Redirected to_err(std::cerr, &err);
    Ran ran;
    ran.code = call(arguments);
    ran.err = err.str();
    return ran;
  }

  /// One message on one line that holds the text, nothing on stdout, and no file made, changed or removed.
  static void expect_refused(int code, const std::string& text, const std::vector<std::string>& arguments) {
    std::string line = "raftlab";
    for (const std::string& argument : arguments) line += " '" + argument + "'";
    SCOPED_TRACE(line);
    const std::vector<std::string> before = files();
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, code);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, testing::StartsWith("raftlab: "));
    EXPECT_THAT(ran.err, testing::HasSubstr(text));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_EQ(files(), before);
  }

  static void write(const std::string& name, std::string_view content) {
    std::ofstream file(name, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    ASSERT_TRUE(file.flush()) << name;
  }

  static void write(const std::string& name, const std::vector<std::byte>& bytes) {
    write(name, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }

  static std::string read(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    EXPECT_TRUE(file.is_open()) << name;
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
  }

  /// Everything below the directory of the test, sorted.
  static std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("."))
      names.push_back(entry.path().lexically_normal().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  static std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
  }

  /// A run of a few hundred steps.
  static simulator::Trace recorded(const simulator::Profile& profile = small_profile()) {
    constexpr std::uint64_t seed = 7;
    simulator::RandomChooser chooser{simulator::Seed(seed)};
    return simulator::record(trace_header(seed, profile, true), chooser);
  }

  static simulator::Profile small_profile() {
    simulator::Profile profile;
    profile.nodes = 3;
    profile.fault_phase_ns = 400 * simulator::millisecond;
    return profile;
  }

 private:
  std::filesystem::path home_;
  std::filesystem::path directory_;
};

}  // namespace raftlab::tool
