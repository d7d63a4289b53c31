#pragma once

#include "net/completion.hpp"
#include "net/counters.hpp"
#include "net/host.hpp"
#include "net/tls.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace raftlab::net {

struct Persistence {
  std::filesystem::path directory;
  std::uint64_t compact_every = 100'000;  ///< entries between two snapshots
};

struct NodeOptions {
  raft::NodeId id;
  std::uint64_t cluster = 0;  ///< a number that no other cluster has, the same at all members
  /// The first members of a new cluster, this node among them, with the addresses of their peer ports ("host:port"). None: the
  /// node joins a cluster that exists.
  std::vector<raft::Member> peers;
  /// Whom to talk to as long as the node knows of no members: who joins needs them, to answer who adds it.
  std::vector<raft::Member> contacts;
  std::optional<Persistence> persistence;  ///< none: in memory, and gone with the process
  std::chrono::milliseconds election_timeout{150};
  std::chrono::milliseconds heartbeat{50};
  std::chrono::milliseconds request_timeout{5000};  ///< of requests that say nothing else
  std::optional<std::uint32_t> lease_drift_ppm;     ///< as `raft::Options` has it
  kv::ReadPolicy read_policy = kv::ReadPolicy::read_index;
  std::string host = "0.0.0.0";  ///< an IP address at which peers reach this node
  std::uint16_t port = 8050;
  TlsFiles tls;  ///< the certificate says this node and this cluster
  /// Makes what carries this node's messages, if that is not to be mutual TLS as the three fields above say. Who keeps nothing on
  /// disk and has a transport of their own sees to it that no second life takes part under this number.
  std::function<std::unique_ptr<Transport>(boost::asio::io_context&)> transport;
};

/// What a node counts and measures, since it was started.
struct NodeMetrics {
  HostStatus status;
  Latencies latencies;
  std::optional<Counters> links;  ///< none: of a transport that is the caller's
};

/// What a node tells of itself, on its own thread: nothing that takes long belongs there. All of them may be empty.
struct NodeEvents {
  /// A key has another value here, or none any more. Told in log order, again for entries that are applied anew after a
  /// restart, and not at all for what came with a snapshot.
  std::function<void(const std::string& key, const std::optional<std::string>& value)> change;
  std::function<void(raft::NodeId)> leader;  ///< none: nobody that this node knows of
  std::function<void(raft::RoleChange)> role;
  std::function<void(raft::Index)> commit;  ///< everything up to here is applied here
  std::function<void(raft::Fault)> fault;   ///< its disk has failed; the node does nothing any more
};

/// For one request.
struct RequestOptions {
  std::optional<std::chrono::milliseconds> timeout;
  kv::ClientId
      client;  ///< with `sequence`: a session of the caller's own, in which a retry has no further effect
  kv::Sequence sequence;
  std::optional<kv::ReadPolicy> read;
  bool forward = true;  ///< false: answered `not_leader` by a node that does not lead
};

/// A member of a replicated key/value store in this process, with a thread of its own.
///
/// Every request takes a completion token of Asio as its last argument: a callback `void(kv::Answer)`, `use_future`,
/// `use_awaitable`, ... A callback without an executor of its own is called on the node's thread. Every request is answered
/// exactly once, at its timeout at the latest, or when the node ends. All calls from any thread.
class Node {
 public:
  /// Opens what is on disk and begins to take part. Throws `StartError`.
  [[nodiscard]] static std::unique_ptr<Node> start(NodeOptions options, NodeEvents events = {});
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// As `end`.
  ~Node();

  template <class Token>
  auto put(std::string key, std::string value, Token&& token, RequestOptions options = {}) {
    return write(kv::Put{std::move(key), std::move(value)}, std::forward<Token>(token), options);
  }
  template <class Token>
  auto del(std::string key, Token&& token, RequestOptions options = {}) {
    return write(kv::Delete{std::move(key)}, std::forward<Token>(token), options);
  }
  /// Sets the key if it holds `expected`; none: if it does not exist.
  template <class Token>
  auto cas(std::string key, std::optional<std::string> expected, std::string value, Token&& token,
           RequestOptions options = {}) {
    return write(kv::CompareAndSwap{std::move(key), std::move(expected), std::move(value)},
                 std::forward<Token>(token), options);
  }
  /// All of them, or none.
  template <class Token>
  auto mput(std::vector<kv::Put> entries, Token&& token, RequestOptions options = {}) {
    return write(kv::PutBatch{std::move(entries)}, std::forward<Token>(token), options);
  }
  template <class Token>
  auto get(std::string key, Token&& token, RequestOptions options = {}) {
    std::vector<std::string> keys;
    keys.push_back(std::move(key));
    return mget(std::move(keys), std::forward<Token>(token), options);
  }
  /// All of them at one instant.
  template <class Token>
  auto mget(std::vector<std::string> keys, Token&& token, RequestOptions options = {}) {
    return request(kv::GetKeys{std::move(keys), options.read}, std::forward<Token>(token), options);
  }
  /// Another set of members: answered when the change has begun (`accepted`) or was rejected. Learners are promoted only when
  /// they have caught up, or with `force`.
  template <class Token>
  auto reconfigure(raft::Configuration target, bool force, Token&& token) {
    return complete<void(kv::ChangeAnswer)>(std::forward<Token>(token), executor(),
                                            [this, target = std::move(target), force](auto done) {
                                              change(
                                                  [target, force](Host& host, Host::Changed changed) {
                                                    host.reconfigure(target, force, std::move(changed));
                                                  },
                                                  std::move(done));
                                            });
  }
  /// Hands the leadership over.
  template <class Token>
  auto transfer(raft::NodeId target, Token&& token) {
    return complete<void(kv::ChangeAnswer)>(
        std::forward<Token>(token), executor(), [this, target](auto done) {
          change([target](Host& host, Host::Changed changed) { host.transfer(target, std::move(changed)); },
                 std::move(done));
        });
  }
  void take_snapshot();
  void set_read_policy(kv::ReadPolicy policy);

  // What the node knows at this instant. They wait for its thread, hence not to be called on it.
  [[nodiscard]] HostStatus status() const;
  [[nodiscard]] NodeMetrics metrics() const;
  [[nodiscard]] std::vector<raft::Member> peers() const { return status().configuration.members; }
  [[nodiscard]] bool is_leader() const { return status().state.role == raft::Role::leader; }
  [[nodiscard]] raft::NodeId leader_id() const { return status().state.leader; }

  /// Stops: whoever waits is answered, and what is on its way to the disk gets there. Twice does no harm. Not on the node's
  /// own thread.
  void end();

 private:
  Node(NodeOptions options, NodeEvents events);

  template <class Token>
  auto write(kv::Change what, Token&& token, const RequestOptions& options) {
    return request(std::move(what), std::forward<Token>(token), options);
  }
  template <class What, class Token>
  auto request(What what, Token&& token, const RequestOptions& options) {
    return complete<void(kv::Answer)>(std::forward<Token>(token), executor(),
                                      [this, wish = wish_of(std::move(what), options)](auto done) mutable {
                                        submit(std::move(wish), std::move(done));
                                      });
  }
  [[nodiscard]] Wish wish_of(std::variant<kv::Change, kv::GetKeys> what, const RequestOptions& options) const;
  [[nodiscard]] boost::asio::any_io_executor executor() const;
  void submit(Wish wish, Host::Answered answered);
  void change(std::function<void(Host&, Host::Changed)> ask, Host::Changed changed);

  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace raftlab::net
