#include "net/trace_recorder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <iomanip>
#include <sstream>
#include <system_error>

namespace raftlab::net {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".rlnode";

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string prefix(raft::NodeId id) { return "node-" + std::to_string(id.value()) + '-'; }

std::string file_name(raft::NodeId id, std::uint64_t incarnation) {
  std::ostringstream name;
  name << prefix(id) << std::hex << std::setw(16) << std::setfill('0') << incarnation << extension;
  return name.str();
}

/// The incarnation of the node's latest life that left a file here; 0: none did. What goes wrong is told by the file that is
/// made next.
std::uint64_t latest_life(const fs::path& directory, raft::NodeId id) {
  const std::string start = prefix(id);
  std::uint64_t latest = 0;
  fs::file_time_type latest_time;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(start) || !name.ends_with(extension)) continue;
    std::uint64_t incarnation = 0;
    const char* const end = name.data() + name.size() - extension.size();
    if (std::from_chars(name.data() + start.size(), end, incarnation, 16).ptr != end) continue;
    const fs::file_time_type time = entry.last_write_time(error);
    if (error || (latest != 0 && time <= latest_time)) continue;
    latest = incarnation;
    latest_time = time;
  }
  return latest;
}

}  // namespace

TraceRecorder::TraceRecorder(const fs::path& directory, std::uint64_t cluster, const raft::Options& options,
                             const raft::Recovered& recovered, const kv::Store& store)
    : path_(directory / file_name(options.id, options.incarnation)), store_(&store) {
  raft::trace::StartRecord start;
  start.cluster = cluster;
  start.time_ns = now_ns();
  start.options = options;
  start.recovered = recovered;
  begin(directory, start);
}

void TraceRecorder::begin(const fs::path& directory, raft::trace::StartRecord& start) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return fail("cannot be made", error.value());
  start.previous = latest_life(directory, start.options.id);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file_ < 0) return fail("cannot be made", errno);
  writer_.start(start, buffer_);
  write();
}

TraceRecorder::~TraceRecorder() {
  if (file_ >= 0) ::close(file_);
}

void TraceRecorder::stepping(const raft::Core& core, std::span<const raft::Input> inputs) {
  if (file_ < 0) return;
  writer_.step(raft::trace::StepHead{now_ns(), core.fingerprint(), store_->applied(), store_->digest()},
               inputs, buffer_);
  write();
}

/// All of it, before the call returns.
void TraceRecorder::write() {
  const std::byte* at = buffer_.data();
  std::size_t left = buffer_.size();
  while (left != 0) {
    const ssize_t written = ::write(file_, at, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail("cannot be written", written < 0 ? errno : EIO);
    at += written;
    left -= static_cast<std::size_t>(written);
  }
  buffer_.clear();
}

void TraceRecorder::fail(const std::string& what, int error) {
  failure_ = path_.string() + ' ' + what + ": " + std::generic_category().message(error);
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  buffer_ = {};
}

}  // namespace raftlab::net
