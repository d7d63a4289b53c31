#pragma once

#include "net/test_node.hpp"
#include "net/test_pki.hpp"
#include "net/test_stranger.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

/// The rows of the table of attacks on the peer port (docs/security.md). Each is a test of its name.
namespace raftlab::net::test {

/// Node 1, which is attacked, with node 2, which is healthy and linked with it both ways. Node 3 is a member, too, but
/// nobody runs it: strangers say that they are it.
class Attack : public ::testing::Test {
 protected:
  static constexpr std::uint32_t strangers_number = 3;

  void begin(const TestNode::Tweak& tweak = nullptr, const TlsFiles* files = nullptr) {
    descriptors_ = open_descriptors();
    victim_ = std::make_unique<TestNode>(1, files == nullptr ? pki_.files(1) : *files, tweak);
    healthy_ = std::make_unique<TestNode>(2, pki_.files(2));
    // Nobody dials before he is known where he dials: a refusal among friends would be counted with those of strangers.
    healthy_->set_members({{raft::NodeId(1), "n1", "127.0.0.1:1"}});
    victim_->set_members({healthy_->member(), {raft::NodeId(strangers_number), "n3", "127.0.0.1:1"}});
    healthy_->set_members({victim_->member()});
    ASSERT_TRUE(linked(*victim_, 1)) << victim_->history();
    ASSERT_TRUE(linked(*healthy_, 1)) << healthy_->history();
    consensus_ = victim_->consensus();
    descriptors_linked_ = descriptors_in_use();
    heap_linked_ = heap_bytes();
  }
  void TearDown() override {
    healthy_.reset();
    victim_.reset();
    EXPECT_LE(open_descriptors(), descriptors_) << "a descriptor was kept";
  }
  TestNode& victim() { return *victim_; }
  TestNode& healthy() { return *healthy_; }
  [[nodiscard]] Stranger dial() const { return Stranger(victim_->port()); }
  [[nodiscard]] Hello hello() const {
    return {protocol_version_min, protocol_version_max, cluster, raft::NodeId(strangers_number),
            raft::NodeId(1)};
  }
  /// A stranger whom the victim takes for node 3.
  [[nodiscard]] Stranger member() {
    Stranger stranger = dial();
    EXPECT_TRUE(stranger.handshake(&member_));
    const auto answer = stranger.greet(hello());
    EXPECT_TRUE(answer && std::holds_alternative<Welcome>(*answer));
    return stranger;
  }

  /// What must hold after every attack: one event with the right reason, nothing delivered but what the healthy peer sends
  /// (and so many messages that the stranger was entitled to), hence the same term, vote and commit; no place, no descriptor
  /// and no memory kept; the links of the healthy peer the same as before.
  void expect_harmless(Reason reason, std::uint64_t strangers_links = 0, std::size_t strangers_messages = 0) {
    EXPECT_TRUE(eventually([&] { return !victim().events(reason).empty(); }))
        << "no event " << name(reason) << "; " << victim().history();
    EXPECT_TRUE(eventually([&] {
      const Counters counters = victim().counters();
      return counters.pending == 0 && counters.links_in == 1 + strangers_links;
    })) << victim().history();
    if (strangers_messages == 0) {
      EXPECT_EQ(victim().consensus(), consensus_) << "term, vote, commit";
    }
    EXPECT_TRUE(eventually([&] { return descriptors_in_use() <= descriptors_linked_; }))
        << descriptors_in_use() << " descriptors, were " << descriptors_linked_;
    EXPECT_TRUE(eventually([&] { return heap_bytes() <= heap_linked_ + heap_bytes_slack; }))
        << heap_bytes() << " bytes, were " << heap_linked_;
    EXPECT_TRUE(reaches(healthy(), victim(), 1001)) << victim().history();
    EXPECT_TRUE(reaches(victim(), healthy(), 1002)) << victim().history();
    const auto delivered = victim().delivered();
    EXPECT_EQ(delivered.size(), 1U + strangers_messages) << "something of the stranger's was delivered";
    EXPECT_EQ(healthy().counters().reconnects, 0U) << healthy().history();
    EXPECT_EQ(victim().counters().reconnects, 0U) << victim().history();
    for (const LinkEvent& event : victim().events())
      for (const char c : event.remote + event.detail)
        EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
  }
  /// The same, of a stranger who never got further than his handshake or hello; how many were counted.
  void expect_refused(Reason reason, std::uint64_t count = 1) {
    expect_harmless(reason);
    EXPECT_EQ(victim().counters().failures(reason), count) << victim().history();
  }

  /// The victim is under attack by a stranger with this certificate, who fails in the handshake.
  void expect_certificate_refused(const Issued* issued, Reason reason, int alert) {
    const std::size_t before = open_descriptors();
    {
      Stranger stranger = dial();
      stranger.handshake(issued);
      stranger.write(FrameKind::hello, encode(hello()));
      stranger.write(vote(strangers_number, 1, 5));
      EXPECT_TRUE(stranger.ends());
      EXPECT_EQ(stranger.alert(), alert);
    }
    expect_refused(reason);
    EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
  }

  /// Without those that are the strangers' own.
  static std::size_t descriptors_in_use() { return open_descriptors() - Stranger::sockets(); }

  Pki pki_;
  Issued member_ = pki_.node(strangers_number);

 private:
  std::unique_ptr<TestNode> victim_;
  std::unique_ptr<TestNode> healthy_;
  std::size_t descriptors_ = SIZE_MAX;
  std::size_t descriptors_linked_ = SIZE_MAX;
  std::size_t heap_linked_ = SIZE_MAX;
  TestNode::Consensus consensus_;
};

}  // namespace raftlab::net::test
