#include "net/host.hpp"

#include "net/disks.hpp"
#include "net/fresh_number.hpp"
#include "net/judge.hpp"
#include "net/ticks.hpp"
#include "net/trace_recorder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <utility>
#include <variant>

namespace raftlab::net {

namespace asio = boost::asio;
using raft::NodeId;

namespace {

std::uint32_t in_ticks(std::chrono::milliseconds time, std::chrono::milliseconds tick) {
  return static_cast<std::uint32_t>(
      std::max<std::chrono::milliseconds::rep>((time + tick - std::chrono::milliseconds(1)) / tick, 1));
}

std::optional<raft::Recovered> first_state(const HostOptions& options) {
  if (options.first_members.empty()) return raft::Recovered{};
  raft::Configuration configuration;
  configuration.members = options.first_members;
  std::ranges::sort(configuration.members, {}, &raft::Member::id);
  for (const raft::Member& member : configuration.members) configuration.voters.push_back(member.id);
  return raft::bootstrap(configuration);
}

kv::ServiceOptions service_options(const HostOptions& options) {
  kv::ServiceOptions service;
  service.read_policy = options.read_policy;
  service.replica.identity = raft::wal::Identity{options.cluster, options.id};
  service.replica.snapshot = options.snapshot;
  service.observer = options.observer;
  raft::Options& core = service.replica.core;
  core.id = options.id;
  core.seed = raft::Seed(fresh_number());
  core.incarnation = fresh_number();
  core.election_ticks_min = in_ticks(options.election_timeout, options.tick);
  core.heartbeat_ticks = in_ticks(options.heartbeat, options.tick);
  core.priority = options.priority;
  core.lease_drift_ppm = options.lease_drift_ppm;
  return service;
}

}  // namespace

class Host::Implementation {
 public:
  Implementation(asio::io_context& loop, const HostOptions& options, Transport& transport, HostEvents events)
      : loop_(loop),
        transport_(transport),
        events_(std::move(events)),
        id_(options.id),
        cluster_(options.cluster),
        tick_(options.tick),
        contacts_(options.contacts),
        timer_(loop),
        ticks_(options.tick, time_since_boot()),
        requests_(options.id, options.requests),
        disks_(options.data, [this] { disk_wakes(); }) {
    const kv::ServiceOptions service = service_options(options);
    auto opened = kv::Service::open(service, disks_.disks(), first_state(options));
    if (const auto* refusal = std::get_if<raft::wal::Refusal>(&opened)) {
      throw StartError(std::string(raft::wal::name(refusal->code)) + ": " + refusal->file + " at byte " +
                           std::to_string(refusal->offset) + ": " + refusal->detail,
                       refusal->code);
    }
    service_ = std::move(std::get<std::unique_ptr<kv::Service>>(opened));
    if (options.trace) {
      recorder_ = std::make_unique<TraceRecorder>(*options.trace, cluster_, service.replica.core,
                                                  service_->replica().recovered(), service_->store());
    }
  }

  void start() {
    tick_later();
    wake();
  }

  void stop() {
    if (std::exchange(stopped_, true)) return;
    give_up();
  }

  // ---- Inputs: each first hears of the time that has passed, as leases demand

  void deliver(raft::Envelope&& envelope) {
    if (!begin()) return;
    service_->receive(std::move(envelope));
  }

  [[nodiscard]] std::optional<Reason> objection(const raft::Envelope& envelope) const {
    return objection_to(envelope, service_->replica().view());
  }

  void unreachable(NodeId peer) {
    if (begin()) service_->unreachable(peer);
  }

  void forwarded(NodeId from, kv::Request&& request) {
    if (!std::holds_alternative<kv::Command>(request.what) || !begin()) return;
    const std::uint64_t number = ++last_forwarded_;
    forwarded_.emplace(number, Forwarded{from, request.tag});
    request.tag = number << 1U | 1U;
    service_->request(request);
  }

  void answered(kv::Answer&& answer) {
    if (!begin()) return;
    requests_.answered(std::move(answer));
  }

  void request(Wish wish, Answered answered) {
    const std::uint64_t number = ++last_wish_;
    const bool reads = std::holds_alternative<kv::GetKeys>(wish.what);
    answered_.emplace(number, Asked{std::move(answered), Clock::now(), reads});
    if (!begin()) {
      post([this, number] { tell(number, not_ready()); });
      return;
    }
    requests_.wish(number, std::move(wish));
  }

  void reconfigure(const raft::Configuration& target, bool force, Changed changed) {
    if (!begin()) return refuse(std::move(changed));
    service_->reconfigure(note(std::move(changed)), target, force);
  }

  void transfer(NodeId target, Changed changed) {
    if (!begin()) return refuse(std::move(changed));
    service_->transfer(note(std::move(changed)), target);
  }

  void take_snapshot() {
    if (begin()) service_->take_snapshot();
  }

  void set_read_policy(kv::ReadPolicy policy) { service_->set_read_policy(policy); }

  [[nodiscard]] HostStatus status() const {
    HostStatus status;
    const raft::View view = service_->replica().view();
    status.state = view.state;
    if (!view.configurations.empty()) status.configuration = view.configurations.back().configuration;
    status.applied = service_->store().applied();
    status.keys = service_->store().size();
    status.store_digest = service_->store().digest();
    status.under_way = requests_.under_way();
    status.fault = fault_;
    return status;
  }

  [[nodiscard]] const Latencies& latencies() const { return latencies_; }
  [[nodiscard]] const kv::Service& service() const { return *service_; }
  [[nodiscard]] NodeId id() const { return id_; }
  [[nodiscard]] std::chrono::milliseconds tick() const { return tick_; }
  [[nodiscard]] std::uint64_t cluster() const { return cluster_; }

 private:
  struct Life {};
  using Clock = std::chrono::steady_clock;
  struct Asked {
    Answered answered;
    Clock::time_point at;
    bool reads = false;
  };
  struct LogWrite {
    raft::WriteSeq seq;
    Clock::time_point at;
  };
  struct Forwarded {
    NodeId from;
    std::uint64_t tag = 0;  // theirs
  };

  static kv::Answer not_ready() {
    kv::Answer answer;
    answer.status = kv::Status::not_ready;
    return answer;
  }

  /// What the loop still holds of a host does nothing once that has ended.
  template <class Run>
  auto while_alive(Run run) {
    return [alive = std::weak_ptr<const Life>(life_), run = std::move(run)](const auto&... arguments) {
      if (!alive.expired()) run(arguments...);
    };
  }
  /// To the thread of the loop, from any.
  template <class Run>
  void post(Run run) {
    asio::post(loop_, while_alive(std::move(run)));
  }

  /// False when the node does nothing any more.
  bool begin() {
    if (stopped_ || fault_) return false;
    catch_up();
    wake();
    return true;
  }

  void catch_up() {
    for (std::uint32_t left = ticks_.take(time_since_boot()); left != 0; --left) {
      service_->tick();
      requests_.tick();
    }
  }

  void tick_later() {
    const auto wait = ticks_.next() - time_since_boot();
    timer_.expires_after(std::max(wait, Ticks::Time(0)));
    timer_.async_wait(while_alive([this](const boost::system::error_code& error) {
      if (error || !begin()) return;
      tick_later();
    }));
  }

  /// From the thread of a disk, or from within a call to one in memory.
  void disk_wakes() {
    if (!disk_news_.exchange(true)) post([this] { take_completions(); });
  }

  void take_completions() {
    disk_news_ = false;
    if (!begin()) return;
    for (const raft::wal::DiskCompletion& completion : disks_.take_log()) service_->complete(completion);
    for (const raft::wal::DiskCompletion& completion : disks_.take_snapshots())
      service_->complete_snapshots(completion);
  }

  /// One step for everything that is ready now.
  void wake() {
    if (std::exchange(step_is_due_, true)) return;
    post([this] { step(); });
  }

  void step() {
    step_is_due_ = false;
    if (stopped_ || fault_) return;
    catch_up();
    flush_requests();
    step_service();
    for (raft::Envelope& message : out_.messages) transport_.send(std::move(message));
    for (kv::Answer& answer : out_.answers) answer_attempt(answer);
    for (const kv::ChangeAnswer& change : out_.changes) answer_change(change);
    const raft::View view = service_->replica().view();
    see_configuration(view);
    see_leader(view.state.leader);
    time_log_writes(view.state);
    const raft::Index applied = service_->store().applied();
    if (std::exchange(applied_, applied) != applied && events_.applied) events_.applied(applied);
    if (out_.role && events_.role) events_.role(*out_.role);
    if (out_.fault) return end_with(*out_.fault);
    flush_requests();
    if (service_->replica().writes_snapshot()) wake();
  }

  void step_service() {
    service_->step(out_, recorder_.get());
    if (!recorder_ || !recorder_->failure()) return;
    const std::string why = *recorder_->failure();
    recorder_.reset();
    if (events_.trace_failed) events_.trace_failed(why);
  }

  void end_with(raft::Fault fault) {
    fault_ = fault;
    step_service();  // answers what the step of the fault did not
    for (kv::Answer& answer : out_.answers) answer_attempt(answer);
    give_up();
    if (events_.fault) events_.fault(fault);
  }

  /// Whoever waits is told what is known.
  void give_up() {
    timer_.cancel();
    requests_.give_up();
    flush_requests();
    for (auto& [tag, changed] : std::exchange(changed_, {})) changed(kv::ChangeAnswer{});
  }

  void flush_requests() {
    requests_out_.clear();
    requests_.take(requests_out_);
    for (Attempt& attempt : requests_out_.attempts) {
      if (attempt.at) {
        transport_.send(attempt.at, attempt.request);
        continue;
      }
      attempt.request.tag <<= 1U;
      service_->request(attempt.request);
      wake();
    }
    for (const Outcome& outcome : requests_out_.outcomes) tell(outcome.wish, outcome.answer);
  }

  /// Of an attempt of this node's (even tags), or of another's.
  void answer_attempt(kv::Answer& answer) {
    const bool own = (answer.tag & 1U) == 0;
    answer.tag >>= 1U;
    if (own) return requests_.answered(std::move(answer));
    const auto at = forwarded_.find(answer.tag);
    if (at == forwarded_.end()) return;
    answer.tag = at->second.tag;
    transport_.send(at->second.from, answer);
    forwarded_.erase(at);
  }

  void tell(std::uint64_t number, const kv::Answer& answer) {
    auto waiting = answered_.extract(number);
    if (waiting.empty()) return;
    const Asked& asked = waiting.mapped();
    (asked.reads ? latencies_.reads : latencies_.writes).note(Clock::now() - asked.at);
    asked.answered(answer);
  }

  /// A write is on its way from the step that gives it out to the one that hears that it has arrived.
  void time_log_writes(const raft::State& state) {
    if (log_writes_.empty() && state.issued == timed_) return;
    const Clock::time_point now = Clock::now();
    while (!log_writes_.empty() && log_writes_.front().seq <= state.written) {
      latencies_.log_writes.note(now - log_writes_.front().at);
      log_writes_.pop_front();
    }
    if (state.issued != timed_) log_writes_.push_back(LogWrite{state.issued, now});
    timed_ = state.issued;
  }

  std::uint32_t note(Changed changed) {
    changed_.insert_or_assign(++last_change_, std::move(changed));
    return last_change_;
  }
  void refuse(Changed changed) {
    asio::post(loop_, [changed = std::move(changed)] { changed(kv::ChangeAnswer{}); });
  }
  void answer_change(const kv::ChangeAnswer& change) {
    auto waiting = changed_.extract(change.tag);
    if (!waiting.empty()) waiting.mapped()(change);
  }

  void see_configuration(const raft::View& view) {
    const bool known =
        !view.configurations.empty() && !view.configurations.back().configuration.members.empty();
    const std::vector<raft::Member>& present =
        known ? view.configurations.back().configuration.members : contacts_;
    if (members_ == present) return;
    members_ = present;
    transport_.set_members(members_);
  }

  void see_leader(NodeId leader) {
    if (std::exchange(leader_, leader) == leader) return;
    requests_.leader(leader);
    if (events_.leader) events_.leader(leader);
  }

  const std::shared_ptr<const Life> life_ = std::make_shared<Life>();  // first: it goes last
  asio::io_context& loop_;
  Transport& transport_;
  HostEvents events_;
  NodeId id_;
  std::uint64_t cluster_;
  std::chrono::milliseconds tick_;
  const std::vector<raft::Member> contacts_;
  asio::steady_timer timer_;
  Ticks ticks_;
  Requests requests_;
  std::atomic<bool> disk_news_ = false;
  NodeDisks disks_;
  std::unique_ptr<kv::Service> service_;
  std::unique_ptr<TraceRecorder> recorder_;  // none: nothing is written down
  kv::ServiceOutput out_;
  RequestsOutput requests_out_;
  bool step_is_due_ = false;
  bool stopped_ = false;
  std::optional<raft::Fault> fault_;
  raft::Index applied_;
  NodeId leader_;
  std::vector<raft::Member> members_;
  std::uint64_t last_wish_ = 0;
  std::map<std::uint64_t, Asked> answered_;
  Latencies latencies_;
  std::deque<LogWrite> log_writes_;  // on their way, the last one of each step
  raft::WriteSeq timed_;             // the last one that was among them
  std::uint64_t last_forwarded_ = 0;
  std::map<std::uint64_t, Forwarded> forwarded_;
  std::uint32_t last_change_ = 0;
  std::map<std::uint32_t, Changed> changed_;
};

Host::Host(asio::io_context& loop, const HostOptions& options, Transport& transport, HostEvents events)
    : implementation_(std::make_unique<Implementation>(loop, options, transport, std::move(events))) {}
Host::~Host() = default;

void Host::start() { implementation_->start(); }
void Host::stop() { implementation_->stop(); }

Transport::Handlers Host::handlers() {
  Implementation* const host = implementation_.get();
  Transport::Handlers handlers;
  handlers.deliver = [host](raft::Envelope&& envelope) { host->deliver(std::move(envelope)); };
  handlers.objection = [host](const raft::Envelope& envelope) { return host->objection(envelope); };
  handlers.unreachable = [host](NodeId peer) { host->unreachable(peer); };
  handlers.request = [host](NodeId from, kv::Request&& request) {
    host->forwarded(from, std::move(request));
  };
  handlers.answer = [host](NodeId /*from*/, kv::Answer&& answer) { host->answered(std::move(answer)); };
  return handlers;
}

void Host::request(Wish wish, Answered answered) {
  implementation_->request(std::move(wish), std::move(answered));
}
void Host::reconfigure(const raft::Configuration& target, bool force, Changed changed) {
  implementation_->reconfigure(target, force, std::move(changed));
}
void Host::transfer(NodeId target, Changed changed) { implementation_->transfer(target, std::move(changed)); }
void Host::take_snapshot() { implementation_->take_snapshot(); }
void Host::set_read_policy(kv::ReadPolicy policy) { implementation_->set_read_policy(policy); }
HostStatus Host::status() const { return implementation_->status(); }
const Latencies& Host::latencies() const { return implementation_->latencies(); }
const kv::Service& Host::service() const { return implementation_->service(); }
raft::NodeId Host::id() const { return implementation_->id(); }
std::uint32_t Host::in_ticks(std::chrono::milliseconds time) const {
  return net::in_ticks(time, implementation_->tick());
}
std::uint64_t Host::cluster() const { return implementation_->cluster(); }

}  // namespace raftlab::net
