#include "tools/diskeyval/settings.hpp"

#include "net/test_pki.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace raftlab::diskeyval {
namespace {

using raft::NodeId;

const Setting& setting(std::string_view name) {
  for (const Setting& one : all_settings()) {
    if (one.name == name) return one;
  }
  throw std::runtime_error("no such setting");
}

/// What was expected instead; "" when the text was taken.
std::string wrong(std::string_view name, const std::string& text) {
  Settings settings;
  return setting(name).set(settings, text).value_or("");
}

class SettingsFile : public testing::Test {
 protected:
  std::optional<Failure> read(const std::string& text) {
    std::ofstream(directory / "node.toml") << text;
    return read_settings(directory / "node.toml", settings);
  }
  std::string message(const std::string& text) {
    const auto failed = read(text);
    if (!failed) return "";
    EXPECT_EQ(failed->code, ExitCode::bad_data);
    EXPECT_TRUE(failed->message.starts_with((directory / "node.toml").string() + ':'));
    return failed->message.substr((directory / "node.toml").string().size() + 1);
  }

  net::test::TestDirectory scratch;
  std::filesystem::path directory = scratch.path();
  Settings settings;
};

TEST(AllSettings, HaveNamesAndHelp) {
  std::set<std::string_view> names;
  for (const Setting& one : all_settings()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_FALSE(one.help.empty()) << one.name;
    EXPECT_EQ(one.flag, one.value.empty()) << one.name;
  }
  EXPECT_EQ(flag_of(setting("read_policy")), "--read-policy");
}

TEST(AllSettings, TakeWhatTheyShould) {
  Settings settings;
  const auto set = [&](std::string_view name, const std::string& text) {
    const auto expected = setting(name).set(settings, text);
    EXPECT_FALSE(expected) << name << ": " << *expected;
  };
  set("id", "node7");
  set("trace", "/var/tmp/traces");
  set("listen", "[2001:db8::1]:9000");
  set("address", "n1.example:9000");
  set("http", "127.0.0.1:0");
  set("plain", "true");
  set("peers", "node2=10.0.0.2:8050,3=10.0.0.3:8050");
  set("apis", "node2=https://10.0.0.2:8080");
  set("data", "/var/lib/diskeyval");
  set("election_timeout", "1s");
  set("heartbeat", "90");
  set("compact_every", "5");
  set("read_policy", "lease");
  set("lease_drift_ppm", "500");
  set("priority", "high");
  set("log", "json");
  EXPECT_EQ(settings.id, NodeId(7));
  EXPECT_EQ(settings.listen, "[2001:db8::1]:9000");
  EXPECT_TRUE(settings.plain);
  EXPECT_EQ(settings.peers,
            (std::map<NodeId, std::string>{{NodeId(2), "10.0.0.2:8050"}, {NodeId(3), "10.0.0.3:8050"}}));
  EXPECT_EQ(settings.apis.at(NodeId(2)), "https://10.0.0.2:8080");
  EXPECT_EQ(settings.election_timeout, std::chrono::seconds(1));
  EXPECT_EQ(settings.heartbeat, std::chrono::milliseconds(90));
  EXPECT_EQ(settings.read_policy, kv::ReadPolicy::lease);
  EXPECT_EQ(settings.lease_drift_ppm, 500U);
  EXPECT_EQ(settings.priority, raft::Priority::high);
  EXPECT_EQ(settings.log, LogForm::json);
}

TEST(AllSettings, RefuseEverythingElse) {
  for (const char* id : {"0", "-1", "", "node", "x", "4294967296", "1 "})
    EXPECT_NE(wrong("id", id), "") << id;
  for (const char* address : {"", "8050", "host:", "host:65536", "::1:80"})
    EXPECT_NE(wrong("listen", address), "") << address;
  for (const char* peers : {"a:1", "node2", "node2=", "node2=x", "node2=a:1,node2=b:1", "node2=a:1,,"})
    EXPECT_NE(wrong("peers", peers), "") << peers;
  for (const char* apis : {"node2=10.0.0.2:8080", "node2=https://", "node2=ftp://a:1"})
    EXPECT_NE(wrong("apis", apis), "") << apis;
  for (const char* time : {"", "5m", "-5s", "1.5s", "19ms", "61s", "99999999999s"})
    EXPECT_NE(wrong("election_timeout", time), "") << time;
  EXPECT_NE(wrong("plain", "yes"), "");
  EXPECT_EQ(wrong("read_policy", "strong"), "one of stale, read_index, lease");
  EXPECT_NE(wrong("compact_every", "0"), "");
  EXPECT_NE(wrong("data", ""), "");
}

TEST_F(SettingsFile, HoldsTheSameNames) {
  const auto failed = read(R"(
id = 1
address = "10.0.0.1:8050"
data = "/tmp/x"
plain = false
heartbeat = "20ms"
compact_every = 1000
[peers]
node2 = "10.0.0.2:8050"
node3 = "10.0.0.3:8050"
)");
  ASSERT_FALSE(failed) << failed->message;
  EXPECT_EQ(settings.id, NodeId(1));
  EXPECT_EQ(settings.peers.size(), 2U);
  EXPECT_EQ(settings.heartbeat, std::chrono::milliseconds(20));
  EXPECT_EQ(settings.compact_every, 1000U);
}

TEST_F(SettingsFile, ThatWeShipMakesANode) {
  const auto failed = read_settings("packaging/node.toml", settings);
  ASSERT_FALSE(failed) << failed->message;
  EXPECT_FALSE(objection_to(settings));
  EXPECT_EQ(settings.peers.size(), 2U);
  EXPECT_EQ(settings.apis.size(), 3U);
}

TEST_F(SettingsFile, IsRefusedWithThePlace) {
  EXPECT_EQ(message("id = 1\nlisten = \"nowhere\"\n"),
            "2:10: listen: an address as host:port or [2001:db8::1]:port was expected");
  EXPECT_EQ(message("id = 1\n\nlisen = \"a:1\"\n"),
            "3:1: 'lisen' is no setting (see diskeyval serve --help)");
  EXPECT_EQ(message("id = 1.5\n"), "1:6: id: a plain value was expected");
  EXPECT_EQ(message("[peers]\nnode2 = 5\n"), "1:1: peers: a plain value was expected");
  EXPECT_TRUE(message("id = \n").starts_with("1:6: "));
}

TEST_F(SettingsFile, ThatIsNotThereIsToldApart) {
  const auto failed = read_settings(directory / "other.toml", settings);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, ExitCode::io);
  EXPECT_NE(failed->message.find("other.toml"), std::string::npos);
}

class Together : public testing::Test {
 protected:
  Together() {
    settings.tls.certificate = settings.tls.key = settings.tls.authorities = "file";
    settings.memory = true;
  }
  std::string objection() {
    const auto failed = objection_to(settings);
    if (!failed) return "";
    EXPECT_EQ(failed->code, ExitCode::usage);
    return failed->message.substr(0, failed->message.find(':'));
  }
  Settings settings;
};

TEST_F(Together, TheyMakeANode) { EXPECT_EQ(objection(), ""); }

TEST_F(Together, ACertificateIsNeeded) {
  settings.tls.key.clear();
  EXPECT_EQ(objection(), "--key");
}

TEST_F(Together, WhereThingsAreKeptIsSaid) {
  settings.memory = false;
  EXPECT_EQ(objection(), "--data");
  settings.data = "d";
  EXPECT_EQ(objection(), "");
  settings.memory = true;
  EXPECT_EQ(objection(), "--data and --memory");
}

TEST_F(Together, WhoJoinsHasSomebodyToAsk) {
  settings.join = true;
  EXPECT_EQ(objection(), "--join");
  settings.peers[NodeId(2)] = "10.0.0.2:8050";
  EXPECT_EQ(objection(), "");
}

TEST_F(Together, PeersNeedAnAddressToReachThisNode) {
  settings.peers[NodeId(2)] = "10.0.0.2:8050";
  EXPECT_EQ(objection(), "--address");
  settings.address = "10.0.0.1:8050";
  EXPECT_EQ(objection(), "");
}

TEST_F(Together, TimesFit) {
  settings.heartbeat = std::chrono::milliseconds(100);
  EXPECT_EQ(objection(), "--heartbeat");
}

TEST_F(Together, LeasesNeedABoundOnClocks) {
  settings.read_policy = kv::ReadPolicy::lease;
  EXPECT_EQ(objection(), "--read-policy lease");
  settings.lease_drift_ppm = 500;
  EXPECT_EQ(objection(), "");
}

}  // namespace
}  // namespace raftlab::diskeyval
