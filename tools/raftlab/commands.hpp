#pragma once

#include "tools/raftlab/arguments.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The subcommands. Each returns the exit code of the process.
namespace raftlab::tool {

struct ExploreOptions {
  SeedRange seeds;           ///< the whole of it, before sharding
  bool single_seed = false;  ///< given as --seed
  Shard shard;
  std::optional<std::chrono::nanoseconds> time_budget;
  std::uint32_t nodes = 0;   ///< 0: as drawn, or as the profile says
  std::string profile_file;  ///< empty: none
  bool checks = true;
  unsigned jobs = 1;
  std::string trace_file;
  bool json = false;
  std::string junit_file;
  std::string out_directory;  ///< empty: raftlab-out/<time>
  bool keep_going = false;
};
int explore(const ExploreOptions& options);

struct RunOptions {
  std::vector<std::string> paths;  ///< files, or directories whose .scn files are run
  bool checks = true;
  bool rewrite = false;
};
int run_scenarios(const RunOptions& options);

struct ReplayOptions {
  std::string trace_file;
};
int replay(const ReplayOptions& options);

struct ShowOptions {
  std::string trace_file;
  bool json = false;
  std::optional<std::uint64_t> around;
  std::uint64_t context = 10;
  std::optional<std::uint64_t> last;
  std::optional<std::uint32_t> node;
  bool long_lines = false;
};
int show(const ShowOptions& options);

struct AuditOptions {
  std::vector<std::string> paths;  ///< directories with traces of nodes, or such files
  std::string history_file;        ///< empty: none
  bool json = false;
};
int audit(const AuditOptions& options);

int ladder();

struct BenchOptions {
  std::vector<std::string> profile_files;
  std::uint32_t nodes = 0;  ///< 0: as the profile says
  std::uint32_t repetitions = 3;
};
int bench(const BenchOptions& options);

}  // namespace raftlab::tool
