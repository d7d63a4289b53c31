#pragma once

#include "kv/service.hpp"
#include "net/sessions.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace raftlab::net {

/// What somebody wants of the cluster, through whichever node.
struct Wish {
  std::variant<kv::Change, kv::GetKeys> what;
  kv::ClientId client;    ///< the caller's own session; none: the node finds one
  kv::Sequence sequence;  ///< in that session
  std::uint32_t deadline_ticks = 500;
  bool forward = true;  ///< false: a node that does not lead says so, instead of asking the leader
};

/// One attempt at a wish. `request.tag` is the attempt's, and comes back with its answer.
struct Attempt {
  raft::NodeId at;  ///< whose service is to be asked; none: this node's own
  kv::Request request;
};

/// What became of a wish: as the service's answer, but that `unknown` and `timed_out` speak of all its attempts together, and
/// every other answer says what is certain of all of them.
struct Outcome {
  std::uint64_t wish = 0;
  kv::Answer answer;
};

/// Owned by the host and reused.
struct RequestsOutput {
  std::vector<Attempt> attempts;
  std::vector<Outcome> outcomes;

  void clear();
};

struct RequestsOptions {
  std::uint32_t attempt_ticks = 100;  ///< then an attempt at another node counts as lost
  std::uint32_t backoff_ticks = 2;    ///< before the next attempt, when there is no leader to ask
  std::size_t wishes_max = 8192;      ///< under way at once; beyond: `overloaded`
  std::size_t sessions_max = 1024;    ///< of this node's own
};

/// Brings wishes to the leader and the outcomes back: finds a session and the leader, tries again with the same sequence
/// number when it is not known what became of an attempt, and stops at the deadline. A step machine: the host says
/// what happened and carries away what `output` holds. One thread.
class Requests {
 public:
  Requests(raft::NodeId self, const RequestsOptions& options)
      : self_(self), options_(options), sessions_(options.sessions_max) {}

  /// `id` is the host's own and comes back with the outcome.
  void wish(std::uint64_t id, Wish&& wish);
  /// Of this node's service, or of another node's. One that nobody waits for any more is dropped.
  void answered(kv::Answer&& answer);
  /// Who leads from now on, as far as this node knows; none: nobody that it knows of. Only to be called when that changes:
  /// meanwhile a node that was asked may have named another leader.
  void leader(raft::NodeId leader);
  void tick();
  /// Ends everything as at its deadline.
  void give_up();

  /// What is to be done since the last call, appended to `out`.
  void take(RequestsOutput& out);
  [[nodiscard]] std::size_t under_way() const { return flights_.size(); }
  [[nodiscard]] const Sessions& sessions() const { return sessions_; }

 private:
  enum class Waits : std::uint8_t { for_session, for_leader, for_answer };
  struct Flight {
    std::uint64_t id = 0;
    bool opens_session = false;  // nobody's wish but this node's own
    Wish wish;
    std::optional<Sessions::Lease> lease;
    Waits waits = Waits::for_session;
    bool may_have_happened = false;
    std::uint32_t attempts = 0;
    raft::NodeId asked;          // the other node that has the latest attempt; none: this one
    std::uint64_t deadline = 0;  // all of these: in ticks of `now_`
    std::uint64_t again_at = 0;
  };
  using Flights = std::map<std::uint64_t, Flight>;

  void proceed(std::uint64_t tag, Flight& flight);
  void attempt(std::uint64_t tag, Flight& flight);
  void again(Flight& flight, std::uint32_t ticks) const;
  void end(Flights::iterator at, kv::Answer answer);
  void expire(Flights::iterator at);
  void session_is_free();
  void open_session();
  [[nodiscard]] bool is_write(const Flight& flight) const;

  raft::NodeId self_;
  RequestsOptions options_;
  Sessions sessions_;
  RequestsOutput out_;
  Flights flights_;                        // by the number that, with the count of attempts, makes the tag
  std::deque<std::uint64_t> for_session_;  // may name flights that have ended
  std::uint64_t last_ = 0;
  std::uint64_t now_ = 0;
  raft::NodeId leader_;
};

}  // namespace raftlab::net
