#pragma once

#include "raft/types.hpp"
#include "simulator/trace.hpp"
#include "tools/raftlab/exit_code.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Files of the tool: input is read whole, output appears whole or not at all.
namespace raftlab::tool {

inline constexpr std::uint64_t text_bytes_max = 16ULL << 20U;
inline constexpr std::uint64_t trace_bytes_max = 8ULL << 30U;

/// The content of a file that is not empty. Fails with `io` when it cannot be read, with `bad_data` when it is empty or longer
/// than `bytes_max`.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max);
[[nodiscard]] Result<simulator::Trace> read_trace(const std::string& path);

/// An output file that the user named. Opening it finds out early whether it can be written; it replaces an older file of
/// that name only when `commit` has written everything, and takes over its permissions. Without a commit
/// nothing is left behind.
class OutputFile {
 public:
  [[nodiscard]] static Result<OutputFile> open(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  [[nodiscard]] std::optional<Failure> commit(raft::Bytes content);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  OutputFile(int descriptor, std::string path, std::string target, std::string temporary)
      : descriptor_(descriptor),
        path_(std::move(path)),
        target_(std::move(target)),
        temporary_(std::move(temporary)) {}

  int descriptor_;
  std::string path_;
  std::string target_;     // what `path_` names in the end, behind links
  std::string temporary_;  // empty: `path_` is no regular file and is written in place
};

/// Where traces of failing seeds go: a directory that is made when the first one is saved. Nothing is overwritten.
class OutputDirectory {
 public:
  /// `path` empty: raftlab-out/<time>, with a link raftlab-out/latest.
  explicit OutputDirectory(std::string path) : given_(std::move(path)) {}

  /// Whether the directory is there or can be made, as far as one can tell without making it.
  [[nodiscard]] std::optional<Failure> check() const;

  struct Saved {
    std::string path;
    std::string short_path;  ///< through the link `latest`, for commands that are copied soon
  };
  [[nodiscard]] Result<Saved> save(const std::string& name, const std::string& extension,
                                   raft::Bytes content);

 private:
  [[nodiscard]] std::optional<Failure> make();

  std::string given_;
  std::string directory_;  // empty: not made yet
  std::string short_directory_;
};

}  // namespace raftlab::tool
