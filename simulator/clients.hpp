#pragma once

#include "invariants/witness.hpp"
#include "kv/service.hpp"
#include "simulator/chooser.hpp"
#include "simulator/cluster.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/faults.hpp"
#include "simulator/histogram.hpp"
#include "simulator/profile.hpp"
#include "simulator/slab.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace raftlab::simulator {

/// The clients of a run. Each opens a session, then asks one thing at a time: it goes to the node it believes to lead, waits,
/// retries under the same number at another node, and after so many attempts gives up with an unknown outcome. What they
/// asked and were told is the history that the witness judges.
class Clients {
 public:
  struct Counts {
    std::uint64_t offered = 0;
    std::uint64_t ok = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
    std::uint64_t expired = 0;  ///< found their session evicted
    Histogram latency_ns;
  };

  /// The witness may be null: then nobody judges.
  Clients(const Profile& profile, Chooser& chooser, EventQueue& queue, Cluster& cluster,
          invariants::Witness* witness, FaultCounts& fired);

  void begin(Time now);
  /// A client's own event: its pause is over, or it has waited long enough for an answer.
  void wake(const Event& event);
  /// A request reaches its node. True when the node has something to step over.
  [[nodiscard]] bool request_arrives(const Event& event);
  /// What a node answered: on its way to the clients.
  void answered(const std::vector<kv::Answer>& answers, Time now);
  void answer_arrives(const Event& event);
  /// The generator of a constant load.
  void load(const Event& event);
  /// An entry was committed for the first time.
  void committed(const raft::EntryView& entry);

  /// No new operations, and no more losses; those under way come to an end.
  void drain();
  [[nodiscard]] bool idle() const { return busy_ == 0; }
  /// One last write and one last linearizable read, which must succeed now.
  void begin_last(Time now);
  [[nodiscard]] bool last_done() const { return last_ == Last::done; }
  [[nodiscard]] bool last_wrote() const { return last_ == Last::reading || last_ == Last::done; }

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  enum class Wake : std::uint32_t { next, retry, timeout };
  enum class Last : std::uint8_t { none, writing, reading, done };

  struct Client {
    kv::ClientId session;
    std::uint64_t sequence = 0;
    std::uint64_t reads = 0;
    bool busy = false;
    bool opening = false;
    bool reading = false;
    bool anywhere = false;  // any node is asked, not the leader
    kv::ReadPolicy policy = kv::ReadPolicy::read_index;
    bool waiting = false;    // for the answer to the latest attempt, until `deadline`
    bool timer_set = false;  // an event is on its way that looks at `deadline`
    Time deadline = 0;
    invariants::OpId op;
    std::variant<kv::Command, kv::GetKeys> what;
    Time invoked = 0;
    std::uint32_t attempts = 0;       // of the operation
    std::uint32_t refused = 0;        // of these, certain to have done nothing
    std::uint32_t attempt = 0;        // number of the latest, over the client's life
    std::uint32_t first_attempt = 0;  // of the operation
    raft::NodeId leader;              // as far as it knows
  };
  struct Request {
    raft::NodeId node;
    kv::Request request;
  };

  void start_operation(std::uint32_t index, Time now);
  void open_session(Client& client);
  void draw_operation(std::uint32_t index, Client& client);
  void draw_policy(Client& client, std::uint64_t about);
  void draw_write(Client& client, std::uint64_t about);
  void attempt(std::uint32_t index, Time now);
  void settle(std::uint32_t index, const kv::Answer& answer, Time now);
  void attempt_failed(std::uint32_t index, Time now);
  void give_up(std::uint32_t index, Time now);
  void finished(std::uint32_t index, Time now);
  void sleep(std::uint32_t index, Wake why, Time until, std::uint64_t extra);
  void set_timer(std::uint32_t index, Time deadline);
  void timer(std::uint32_t index, Time now);
  void make_key(std::uint64_t number, std::string& text) const;
  void make_value(const Client& client, std::string& text) const;
  [[nodiscard]] std::string key(std::uint64_t number) const;
  [[nodiscard]] std::string value(const Client& client) const;
  [[nodiscard]] bool open_loop() const { return profile_->open_load_per_second != 0; }

  const Profile* profile_;
  Chooser* chooser_;
  EventQueue* queue_;
  Cluster* cluster_;
  invariants::Witness* witness_;
  FaultCounts* fired_;
  std::vector<Client> clients_;
  Slab<Request> requests_;
  Slab<kv::Answer> answers_;
  kv::CommandView command_;          // of the entry that was committed
  invariants::Operation operation_;  // what the witness is told
  std::uint32_t busy_ = 0;
  std::uint32_t without_session_ = 0;
  std::vector<std::uint32_t>
      idle_;  // open loop: clients with a session and nothing to do, the latest one last
  bool draining_ = false;
  Last last_ = Last::none;
  Counts counts_;
};

}  // namespace raftlab::simulator
