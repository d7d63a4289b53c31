#include "net/hello.hpp"

#include <gtest/gtest.h>

#include <string>

namespace raftlab::net {
namespace {

const NodeIdentity self{ClusterId(0xc1), raft::NodeId(1)};
constexpr raft::NodeId peer{3};
const Hello good{1, 1, ClusterId(0xc1), peer, raft::NodeId(1)};
const Welcome welcome{1, ClusterId(0xc1), peer, raft::NodeId(1)};

std::string hex(raft::Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 0xfU];
  }
  return text;
}

template <class Change>
Hello with(Change&& change) {
  Hello hello = good;
  change(hello);
  return hello;
}

TEST(Hello, HasTheseBytes) {
  EXPECT_EQ(hex(encode(good)), "0801100119c10000000000000020032801");
  EXPECT_EQ(hex(encode(HelloAnswer(welcome))), "100119c10000000000000020032801");
  EXPECT_EQ(hex(encode(HelloAnswer(Reason::not_member))), "0808");
  EXPECT_EQ(hex(encode(with([](Hello& hello) { hello.life = 0x77; }))),
            "0801100119c10000000000000020032801317700000000000000");
}

TEST(Hello, ComesBackEqualAndCutItIsAnotherOrNone) {
  EXPECT_EQ(decode_hello(encode(good)), good);
  for (const HelloAnswer& answer :
       {HelloAnswer(welcome), HelloAnswer(Welcome{1, ClusterId(0xc1), peer, raft::NodeId(1), 9}),
        HelloAnswer(Reason::version), HelloAnswer(Reason::forgetful)})
    EXPECT_EQ(decode_hello_answer(encode(answer)), answer);
  const std::vector<std::byte> bytes = encode(good);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(decode_hello(raft::Bytes(bytes).first(size)), good) << size;
}

TEST(Hello, ARefusalThatNobodyHasToSayIsNone) {
  EXPECT_EQ(refusal_of(0), std::nullopt);
  EXPECT_EQ(refusal_of(static_cast<std::uint32_t>(Reason::connected)), std::nullopt);
  EXPECT_EQ(refusal_of(~0U), std::nullopt);
  EXPECT_EQ(decode_hello_answer(std::vector{std::byte{8}, std::byte{99}}), std::nullopt);
}

TEST(Hello, NamesOfReasonsAreThereAndDiffer) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < reasons; ++i) names.emplace_back(name(static_cast<Reason>(i)));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(std::count(names.begin(), names.end(), "?"), 0);
}

TEST(Hello, IsAnsweredByAWelcomeInTheHighestCommonVersion) {
  EXPECT_EQ(answer_to(good, peer, self), HelloAnswer(Welcome{1, self.cluster, self.node, peer}));
  EXPECT_EQ(answer_to(good, peer, self, 5), HelloAnswer(Welcome{1, self.cluster, self.node, peer, 5}));
  EXPECT_EQ(answer_to(with([](Hello& hello) { hello.version_max = 9; }), peer, self),
            HelloAnswer(Welcome{1, self.cluster, self.node, peer}));
}

TEST(Hello, IsRefusedForAReason) {
  EXPECT_EQ(answer_to(with([](Hello& hello) { hello.version_min = hello.version_max = 2; }), peer, self),
            HelloAnswer(Reason::version));
  EXPECT_EQ(answer_to(with([](Hello& hello) { hello.version_min = hello.version_max = 0; }), peer, self),
            HelloAnswer(Reason::version));
  EXPECT_EQ(answer_to(with([](Hello& hello) { hello.cluster = ClusterId(2); }), peer, self),
            HelloAnswer(Reason::cluster_mismatch));
  EXPECT_EQ(answer_to(with([](Hello& hello) { hello.node = raft::NodeId(2); }), peer, self),
            HelloAnswer(Reason::identity_mismatch));
  EXPECT_EQ(answer_to(with([](Hello& hello) { hello.expected = raft::NodeId(2); }), peer, self),
            HelloAnswer(Reason::identity_mismatch));
}

TEST(Hello, AWelcomeIsLookedAt) {
  EXPECT_EQ(objection_to(welcome, peer, self), std::nullopt);
  EXPECT_EQ(objection_to({2, self.cluster, peer, self.node}, peer, self), Reason::version);
  EXPECT_EQ(objection_to({0, self.cluster, peer, self.node}, peer, self), Reason::version);
  EXPECT_EQ(objection_to({1, ClusterId(2), peer, self.node}, peer, self), Reason::cluster_mismatch);
  EXPECT_EQ(objection_to({1, self.cluster, raft::NodeId(2), self.node}, peer, self),
            Reason::identity_mismatch);
  EXPECT_EQ(objection_to({1, self.cluster, peer, peer}, peer, self), Reason::identity_mismatch);
}

TEST(Hello, APeerIsAnotherNodeOfOurCluster) {
  const auto peer_with = [](const std::variant<Identity, IdentityError>& identity) {
    const auto result = peer_of(identity, self);
    const auto* node = std::get_if<raft::NodeId>(&result);
    return node != nullptr ? std::to_string(node->value()) : name(std::get<Reason>(result));
  };
  EXPECT_EQ(peer_with(NodeIdentity{self.cluster, peer}), "3");
  EXPECT_EQ(peer_with(self), "self_connect");
  EXPECT_EQ(peer_with(NodeIdentity{ClusterId(2), peer}), "cluster_mismatch");
  EXPECT_EQ(peer_with(NodeIdentity{ClusterId(2), self.node}), "cluster_mismatch");
  EXPECT_EQ(peer_with(ClientIdentity{self.cluster, ClientRole::admin, "3"}), "identity_role");
  EXPECT_EQ(peer_with(IdentityError::missing), "identity_missing");
  EXPECT_EQ(peer_with(IdentityError::malformed), "identity_malformed");
  EXPECT_EQ(peer_with(IdentityError::too_many), "identity_malformed");
  EXPECT_EQ(peer_with(IdentityError::ambiguous), "identity_ambiguous");
}

}  // namespace
}  // namespace raftlab::net
