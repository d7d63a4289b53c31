#pragma once

#include "kv/command.hpp"
#include "net/host.hpp"
#include "net/test_node.hpp"
#include "net/test_stranger.hpp"
#include "raft/snapshot/image.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

/// A whole node under attack by members: their certificates are good, what they say is not. docs/security.md has the table.
namespace raftlab::net::test {

/// Node 1: a host with its files on disk, behind the peer port. The two other members are strangers, each of which may
/// lead, so that what the node is told is in the hands of the test alone. It does not stand by itself.
class AttackHost : public ::testing::Test {
 protected:
  static constexpr std::uint64_t base_term = 5;

  void begin() {
    TlsTransportOptions options;
    options.self = self(1);
    options.listen = "127.0.0.1:0";
    options.files = pki_.files(1);
    options.random = [] { return std::uint64_t{7}; };
    options.backoff_first = options.backoff_longest = 60'000ms;  // nobody listens where the others should be
    options.observer = [this](const LinkEvent& event) {
      const std::scoped_lock lock(mutex_);
      events_.push_back(event);
    };
    transport_ = must_make(std::move(options));
    HostOptions host;
    host.id = raft::NodeId(1);
    host.cluster = cluster.value();
    host.election_timeout = 600'000ms;
    host.heartbeat = 1'000ms;
    host.data = directory_.path() / "data";
    for (std::uint32_t id = 1; id <= 3; ++id)
      host.first_members.push_back({raft::NodeId(id), "n" + std::to_string(id), "127.0.0.1:1"});
    host_ = std::make_unique<Host>(io_, host, *transport_, HostEvents{});
    transport_->start(host_->handlers());
    host_->start();
    thread_ = std::thread([this] { io_.run(); });
    // Until the recovered log is durable the node writes by itself.
    ASSERT_TRUE(eventually([&] { return now().durable == raft::Index(1) && members_known(); }));
    follow();
    descriptors_ = open_descriptors() - strangers_.size();
  }
  // ---- The node

  template <class Call>
  auto run(Call&& call) {
    auto task = std::make_shared<std::packaged_task<decltype(call())()>>(std::forward<Call>(call));
    auto result = task->get_future();
    boost::asio::post(io_, [task] { (*task)(); });
    return result.get();
  }
  /// Behind everything that the node has been told, and the step that it led to.
  raft::State now() {
    run([] {});
    return run([&] { return host_->status().state; });
  }
  Counters counters() {
    return run([&] { return transport_->counters(); });
  }
  std::size_t events(Reason reason) {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(events_, reason, &LinkEvent::reason));
  }
  /// What must be the same before and after an attack.
  struct Kept {
    raft::HardState hard;
    raft::Index commit;
    raft::Index applied;
    raft::LogId last;
    raft::NodeId leader;
    std::uint64_t digest = 0;
    std::vector<raft::LogId> entries;
    friend bool operator==(const Kept&, const Kept&) = default;
  };
  Kept kept() {
    run([] {});
    return run([&] {
      const HostStatus status = host_->status();
      Kept kept{status.state.hard,
                status.state.commit,
                status.applied,
                status.state.last,
                status.state.leader,
                status.store_digest,
                {}};
      const raft::Log& log = *host_->service().replica().view().log;
      for (raft::Index at = log.first(); at <= log.last(); at = at.next())
        kept.entries.push_back({log.term_at(at), at});
      return kept;
    });
  }
  std::vector<std::string> snapshot_files() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(directory_.path() / "data" / "snapshots"))
      if (file.path().filename() != "LOCK") names.push_back(file.path().filename());
    return names;
  }

  void TearDown() override {
    if (!thread_.joinable()) return;
    strangers_.clear();
    EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors_; })) << "a descriptor was kept";
    EXPECT_FALSE(run([&] { return host_->status().fault.has_value(); })) << "the node has given up";
    run([&] {
      host_->stop();
      transport_->stop();
    });
    work_.reset();
    thread_.join();
    for (const LinkEvent& event : events_)
      for (const char c : event.remote + event.detail) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  }

  // ---- The members

  /// A link of this member's, a new one each time.
  Stranger& member(std::uint32_t number) {
    const Issued issued = pki_.node(number);
    auto stranger = std::make_unique<Stranger>(transport_->port());
    EXPECT_TRUE(stranger->handshake(&issued));
    const auto answer = stranger->greet(
        {protocol_version_min, protocol_version_max, cluster, raft::NodeId(number), raft::NodeId(1)});
    EXPECT_TRUE(answer && std::holds_alternative<Welcome>(*answer));
    strangers_.push_back(std::move(stranger));
    return *strangers_.back();
  }
  static raft::Envelope from(std::uint32_t number, std::uint64_t term, raft::Message message) {
    return {raft::NodeId(number), raft::NodeId(1), raft::Term(term), std::move(message)};
  }
  /// Says it, and waits until the node has dealt with it.
  void say(Stranger& stranger, const std::vector<raft::Envelope>& all) {
    const std::uint64_t before = counters().frames_in;
    FrameBatch batch;
    for (const raft::Envelope& each : all) batch.add(each);
    stranger.write(batch.bytes());
    EXPECT_TRUE(eventually([&] { return counters().frames_in >= before + all.size(); }));
    run([] {});
  }
  /// Says it over a link of its own, which ends for this reason, and nothing else comes of it.
  void expect_closed(std::uint32_t number, const raft::Envelope& envelope, Reason reason) {
    SCOPED_TRACE(raft::name(envelope.message));
    const Kept before = kept();
    const std::vector<std::string> files = snapshot_files();
    const std::uint64_t closed = counters().closed(reason);
    Stranger& stranger = member(number);
    stranger.write(envelope);
    EXPECT_TRUE(stranger.ends()) << "the link lives on";
    EXPECT_TRUE(eventually([&] { return counters().closed(reason) == closed + 1; })) << name(reason);
    EXPECT_EQ(kept(), before);
    EXPECT_EQ(snapshot_files(), files);
    EXPECT_GE(events(reason), 1U);
  }
  /// Says it, and the link lives on.
  void expect_ignored(Stranger& stranger, const std::vector<raft::Envelope>& all) {
    const Kept before = kept();
    say(stranger, all);
    EXPECT_EQ(kept(), before);
    EXPECT_TRUE(stranger.is_open());
  }

  static raft::AppendEntries append(raft::LogId prev, const std::vector<std::uint64_t>& terms,
                                    std::uint64_t commit) {
    raft::AppendEntries append;
    append.prev = prev;
    append.commit = raft::Index(commit);
    if (!terms.empty()) append.entries = raft::Slice::make(prev.index.next(), 64, 4096);
    for (const std::uint64_t term : terms) {
      std::vector<std::byte> command;
      kv::encode({kv::ClientId(), kv::Sequence(), kv::Put{"k", std::to_string(term)}}, command);
      EXPECT_TRUE(append.entries.append(raft::Term(term), raft::EntryKind::command, command));
    }
    return append;
  }
  static raft::LogId at(std::uint64_t term, std::uint64_t index) {
    return {raft::Term(term), raft::Index(index)};
  }

  /// Member 2, which leads in the base term: entries 2 to 4 are its, and committed, entry 5 is not.
  Stranger& leader() { return *leader_; }

  Pki pki_;
  TestDirectory directory_;

 private:
  std::unique_ptr<TlsTransport> must_make(TlsTransportOptions options) {
    auto made = TlsTransport::make(io_, std::move(options));
    if (const auto* error = std::get_if<TlsError>(&made)) throw std::runtime_error(error->detail);
    return std::move(std::get<std::unique_ptr<TlsTransport>>(made));
  }
  bool members_known() { return counters().dialled >= 2; }
  void follow() {
    leader_ = &member(2);
    say(*leader_, {from(2, base_term, append(at(1, 1), {5, 5, 5, 5}, 4))});
    ASSERT_TRUE(eventually([&] {
      const raft::State state = now();
      return state.applied == raft::Index(4) && state.durable == raft::Index(5);
    }));
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::unique_ptr<TlsTransport> transport_;

 protected:
  std::unique_ptr<Host> host_;

 private:
  std::thread thread_;
  std::mutex mutex_;
  std::vector<LinkEvent> events_;
  std::vector<std::unique_ptr<Stranger>> strangers_;
  Stranger* leader_ = nullptr;
  std::size_t descriptors_ = 0;
};

}  // namespace raftlab::net::test
