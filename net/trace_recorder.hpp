#pragma once

#include "kv/store.hpp"
#include "raft/trace/record.hpp"
#include "raft/trace/step.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::net {

/// Writes down one life of a node for `raftlab audit`: a file `node-<id>-<incarnation>.rlnode` (mode 0600: it holds keys and values)
/// with what the core is given, step by step. Each step is in the page cache before it is taken, so that a process that is
/// killed has done nothing that its trace does not explain; nothing is synced. A failure ends the recording, and not the node.
/// One thread.
class TraceRecorder final : public raft::trace::StepObserver {
 public:
  /// Begins the file. The store must outlive the recorder.
  TraceRecorder(const std::filesystem::path& directory, std::uint64_t cluster, const raft::Options& options,
                const raft::Recovered& recovered, const kv::Store& store);
  TraceRecorder(const TraceRecorder&) = delete;
  TraceRecorder& operator=(const TraceRecorder&) = delete;
  ~TraceRecorder() override;

  [[nodiscard]] bool wants_deltas() const override { return false; }
  void stepping(const raft::Core& core, std::span<const raft::Input> inputs) override;
  void stepped(const raft::trace::Step& /*step*/) override {}

  /// Why nothing more is written down.
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }

 private:
  void begin(const std::filesystem::path& directory, raft::trace::StartRecord& start);
  void write();
  void fail(const std::string& what, int error);

  std::filesystem::path path_;
  const kv::Store* store_;
  int file_ = -1;
  raft::trace::RecordWriter writer_;
  std::vector<std::byte> buffer_;
  std::optional<std::string> failure_;
};

}  // namespace raftlab::net
