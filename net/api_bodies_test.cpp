#include "net/api_bodies.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace raftlab::net {
namespace {

const kv::Change& change(const Body<Wish>& body) {
  static const kv::Change none;
  const auto* wish = std::get_if<Wish>(&body);
  if (wish == nullptr) ADD_FAILURE() << std::get<BodyError>(body).message;
  return wish == nullptr ? none : std::get<kv::Change>(wish->what);
}

template <class Content>
std::string error(const Body<Content>& body) {
  const auto* error = std::get_if<BodyError>(&body);
  return error == nullptr ? "taken" : error->message;
}

TEST(ApiBodies, APut) {
  EXPECT_EQ(std::get<kv::Put>(change(put_body("k", R"({"value":"v"})"))), (kv::Put{"k", "v"}));
  EXPECT_EQ(std::get<kv::Put>(change(put_body("k", R"({"value":"AAE=","encoding":"base64"})"))).value,
            std::string("\0\1", 2));
  EXPECT_EQ(std::get<kv::Put>(change(put_body("k", R"({"value":"\u00e4"})"))).value, "\xc3\xa4");
}

TEST(ApiBodies, ASessionIsANumberAndASequence) {
  const auto body = put_body("k", R"({"client_id":12,"seq":3,"value":""})");
  const auto& wish = std::get<Wish>(body);
  EXPECT_EQ(wish.client, kv::ClientId(12));
  EXPECT_EQ(wish.sequence, kv::Sequence(3));
  EXPECT_EQ(error(put_body("k", R"({"client_id":12,"value":""})")), "\"client_id\" and \"seq\" go together");
  EXPECT_NE(error(put_body("k", R"({"client_id":0,"seq":3,"value":""})")), "taken");
  EXPECT_NE(error(put_body("k", R"({"client_id":-1,"seq":3,"value":""})")), "taken");
  EXPECT_NE(error(put_body("k", R"({"client_id":1.5,"seq":3,"value":""})")), "taken");
  EXPECT_NE(error(put_body("k", R"({"client_id":18446744073709551616,"seq":3,"value":""})")), "taken");
}

TEST(ApiBodies, ADeleteNeedsNone) {
  EXPECT_EQ(std::get<kv::Delete>(change(delete_body("k", ""))).key, "k");
  EXPECT_EQ(std::get<Wish>(delete_body("k", R"({"client_id":1,"seq":2})")).sequence, kv::Sequence(2));
  EXPECT_NE(error(delete_body("k", R"({"value":"v"})")), "taken");
}

TEST(ApiBodies, ACompareAndSwapSaysWhatItExpects) {
  EXPECT_EQ(std::get<kv::CompareAndSwap>(change(cas_body("k", R"({"expected":"a","value":"b"})"))),
            (kv::CompareAndSwap{"k", "a", "b"}));
  EXPECT_EQ(std::get<kv::CompareAndSwap>(change(cas_body("k", R"({"expected":null,"value":"b"})"))),
            (kv::CompareAndSwap{"k", std::nullopt, "b"}));
  EXPECT_EQ(error(cas_body("k", R"({"value":"b"})")), "\"expected\" is missing");
}

TEST(ApiBodies, SeveralPuts) {
  const auto body = mput_body(
      R"({"entries":[{"key":"a","value":"1"},{"key":"Ag==","key_encoding":"base64","value":"2"}]})");
  EXPECT_EQ(std::get<kv::PutBatch>(change(body)).entries, (std::vector<kv::Put>{{"a", "1"}, {"\2", "2"}}));
  EXPECT_NE(error(mput_body(R"({"entries":{"key":"a"}})")), "taken");
  EXPECT_NE(error(mput_body(R"({"entries":[1]})")), "taken");
}

TEST(ApiBodies, SeveralKeys) {
  const auto body = mget_body(R"({"keys":["a","b"]})");
  EXPECT_EQ(std::get<kv::GetKeys>(std::get<Wish>(body).what).keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(error(mget_body(R"({"keys":[1]})")), "taken");
}

TEST(ApiBodies, OtherMembers) {
  const auto body = reconfigure_body(
      R"({"members":[{"id":3,"address":"c:1"},{"id":1,"name":"one","address":"a:1"},{"id":2,"address":"b:1","learner":true}]})");
  const auto& target = std::get<ReconfigureBody>(body).target;
  EXPECT_EQ(target.voters, (std::vector<raft::NodeId>{raft::NodeId(1), raft::NodeId(3)}));
  EXPECT_EQ(target.learners, std::vector<raft::NodeId>{raft::NodeId(2)});
  EXPECT_EQ(target.members.at(0), (raft::Member{raft::NodeId(1), "one", "a:1"}));
  EXPECT_EQ(target.members.at(2).name, "node3");
  EXPECT_NE(error(reconfigure_body(R"({"members":[{"id":0,"address":"a"}]})")), "taken");
  EXPECT_NE(error(reconfigure_body(R"({"members":[],"force":1})")), "taken");
}

TEST(ApiBodies, WhatTheOperatorAsks) {
  EXPECT_EQ(std::get<raft::NodeId>(transfer_body(R"({"target":2})")), raft::NodeId(2));
  EXPECT_NE(error(transfer_body(R"({"target":4294967296})")), "taken");
  EXPECT_EQ(std::get<kv::ReadPolicy>(read_policy_body(R"({"read":"lease"})")), kv::ReadPolicy::lease);
  EXPECT_NE(error(read_policy_body(R"({"read":"fast"})")), "taken");
}

TEST(ApiBodies, WhatIsHostileIsRefused) {
  EXPECT_EQ(error(put_body("k", "")), "body: not JSON");
  EXPECT_EQ(error(put_body("k", "[]")), "body: expected an object");
  EXPECT_EQ(error(put_body("k", R"({"value":"v")")), "body: not JSON");
  EXPECT_EQ(error(put_body("k", R"({"value":"a","value":"b"})")), "body: a name stands twice");
  EXPECT_EQ(error(put_body("k", R"({"value":"v","extra":1})")), "unknown field \"extra\"");
  EXPECT_EQ(error(put_body("k", R"({"value":1})")), "\"value\": expected a string");
  EXPECT_EQ(error(put_body("k", R"({"value":"!","encoding":"base64"})")), "\"value\": not base64");
  EXPECT_NE(error(put_body("k", R"({"value":"v","encoding":"rot13"})")), "taken");
  for (const char* body : {R"({"value":NaN})", R"({"value":"\ud800"})", "{\"value\":\"\xff\"}",
                           R"({"value":"v"}x)", R"({value:"v"})", "\xef\xbb\xbf"}) {
    EXPECT_EQ(error(put_body("k", body)), "body: not JSON") << body;
  }
  EXPECT_EQ(error(put_body("k", R"({"value":1e400})")), "\"value\": expected a string");
  EXPECT_EQ(error(put_body("k", R"({"value":"v","a":{"b":1,"b":2}})")), "body: a name stands twice");
  EXPECT_EQ(error(put_body("k", R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"value":"v"})")),
            "body: an object with too many fields");
  const std::string deep = R"({"value":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_EQ(error(put_body("k", deep)), "body: nested too deeply");
}

}  // namespace
}  // namespace raftlab::net
