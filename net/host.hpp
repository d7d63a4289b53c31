#pragma once

#include "kv/service.hpp"
#include "net/latencies.hpp"
#include "net/requests.hpp"
#include "net/transport.hpp"
#include "raft/wal/wal.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace raftlab::net {

/// Everything a node is made of but its network.
struct HostOptions {
  raft::NodeId id;
  std::uint64_t cluster = 0;
  /// The members at the very first start of the cluster, all of them voters. Who joins a cluster that exists has none, and
  /// waits to be added. Of a node that has a log, the log decides.
  std::vector<raft::Member> first_members;
  /// Whom to talk to as long as the node knows of no members: who joins needs them, to answer who adds it.
  std::vector<raft::Member> contacts;
  std::optional<std::filesystem::path> data;  ///< none: in memory, and gone with the process
  std::chrono::milliseconds tick{10};
  std::chrono::milliseconds election_timeout{150};  ///< drawn up to twice as long
  std::chrono::milliseconds heartbeat{50};
  std::optional<std::uint32_t> lease_drift_ppm;  ///< as `raft::Options` has it; the same at all members
  kv::ReadPolicy read_policy = kv::ReadPolicy::read_index;
  raft::Priority priority = raft::Priority::normal;
  raft::SnapshotOptions snapshot;
  RequestsOptions requests;
  kv::ApplyObserver* observer = nullptr;  ///< must outlive the host; may be none
  std::optional<std::filesystem::path>
      trace;  ///< a directory in which each step is written down (docs/trace.md)
};

/// Why a node does not start. What it has on disk stays as it is.
class StartError : public std::runtime_error {
 public:
  explicit StartError(const std::string& what, std::optional<raft::wal::RefusalCode> code = std::nullopt)
      : std::runtime_error(what), refusal(code) {}
  std::optional<raft::wal::RefusalCode> refusal;  ///< the log's, if that is the reason
};

struct HostStatus {
  raft::State state;
  raft::Configuration configuration;  ///< in effect
  raft::Index applied;                ///< by the store
  std::size_t keys = 0;
  std::uint64_t store_digest = 0;
  std::size_t under_way = 0;  ///< requests
  std::optional<raft::Fault> fault;
};

/// What tells of the node's life. All are called on its thread, and may be empty.
struct HostEvents {
  std::function<void(raft::RoleChange)> role;
  std::function<void(raft::NodeId)> leader;  ///< none: nobody that this node knows of
  std::function<void(raft::Index)> applied;
  std::function<void(raft::Fault)> fault;  ///< the node has stopped: nothing else is told afterwards
  /// Its steps are not written down any more, and why. Told once; the node goes on.
  std::function<void(const std::string&)> trace_failed;
};

/// One node: the service with its disks, its clock and its peers, on an event loop. Inputs that arrive together share a
/// step, and so a write and its sync. All calls on the thread of the loop, its end too; the loop and the transport must
/// outlive the host, and the transport calls it no more once it ends. What the loop still holds of it then does nothing.
class Host {
 public:
  using Answered = std::function<void(const kv::Answer&)>;
  using Changed = std::function<void(const kv::ChangeAnswer&)>;

  /// Opens what is on disk. Throws `StartError`.
  Host(boost::asio::io_context& loop, const HostOptions& options, Transport& transport, HostEvents events);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  /// Begins to take part. The transport has been started with `handlers`.
  void start();
  /// What the transport is to call.
  [[nodiscard]] Transport::Handlers handlers();
  /// Ends the clock; waiting requests are answered as `unknown` or `not_ready`.
  void stop();

  /// Each is answered exactly once, on the thread of the loop, and never from within the call.
  void request(Wish wish, Answered answered);
  void reconfigure(const raft::Configuration& target, bool force, Changed changed);
  void transfer(raft::NodeId target, Changed changed);
  void take_snapshot();
  void set_read_policy(kv::ReadPolicy policy);

  [[nodiscard]] HostStatus status() const;
  [[nodiscard]] const Latencies& latencies() const;
  [[nodiscard]] const kv::Service& service() const;
  [[nodiscard]] raft::NodeId id() const;
  /// A time as this host counts it, rounded up; 1 or more. From any thread.
  [[nodiscard]] std::uint32_t in_ticks(std::chrono::milliseconds time) const;
  [[nodiscard]] std::uint64_t cluster() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace raftlab::net
