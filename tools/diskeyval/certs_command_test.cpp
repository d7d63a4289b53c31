#include "tools/diskeyval/certs_command.hpp"

#include "net/certificates.hpp"
#include "net/test_pki.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace raftlab::diskeyval {
namespace {

namespace fs = std::filesystem;
using raft::NodeId;

class CertsTest : public testing::Test {
 protected:
  void init() {
    CertsInit options;
    options.directory = directory;
    options.cluster = 0xc1;
    expect_done(init_certs(options, out));
  }
  CertsIssue node(std::uint32_t id, std::vector<std::string> hosts = {}) const {
    CertsIssue options;
    options.directory = directory;
    options.node = NodeId(id);
    options.hosts = std::move(hosts);
    return options;
  }
  CertsIssue client(std::string name, bool admin = false) const {
    CertsIssue options;
    options.directory = directory;
    options.name = std::move(name);
    options.admin = admin;
    return options;
  }
  static void expect_done(const std::optional<Failure>& failed) { EXPECT_FALSE(failed) << failed->message; }
  static void expect_failed(ExitCode code, const std::string& part, const std::optional<Failure>& failed) {
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->code, code) << failed->message;
    EXPECT_NE(failed->message.find(part), std::string::npos) << failed->message;
  }
  [[nodiscard]] std::string text(const std::string& file) const {
    std::ifstream in(directory / file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] net::CertificateDescription described(const std::string& file) const {
    return std::get<std::vector<net::CertificateDescription>>(net::describe(text(file))).front();
  }

  net::test::TestDirectory scratch;
  fs::path directory = scratch.path();
  std::ostringstream out;
};

TEST_F(CertsTest, AnAuthorityIssuesForItsCluster) {
  init();
  EXPECT_NE(out.str().find("cluster     00000000000000c1"), std::string::npos) << out.str();
  expect_done(issue_certs(node(7, {"192.0.2.7", "node7.example"}), out));
  expect_done(issue_certs(client("anna"), out));
  expect_done(issue_certs(client("ops", true), out));
  EXPECT_EQ(described("node-7.crt").identity, "raft://00000000000000c1/7");
  EXPECT_EQ(described("node-7.crt").hosts, (std::vector<std::string>{"192.0.2.7", "node7.example"}));
  EXPECT_EQ(described("client-anna.crt").identity, "raft://00000000000000c1/client/anna");
  EXPECT_EQ(described("admin-ops.crt").identity, "raft://00000000000000c1/admin/ops");
  for (const char* key : {"ca.key", "node-7.key", "client-anna.key", "admin-ops.key"}) {
    struct stat status {};
    ASSERT_EQ(::stat((directory / key).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U) << key;
  }
}

TEST_F(CertsTest, ClustersDifferUnlessTold) {
  CertsInit one;
  one.directory = directory / "one";
  CertsInit two;
  two.directory = directory / "two";
  expect_done(init_certs(one, out));
  expect_done(init_certs(two, out));
  EXPECT_NE(net::cluster_of(text("one/ca.crt")), net::cluster_of(text("two/ca.crt")));
}

TEST_F(CertsTest, NothingIsOverwritten) {
  init();
  const std::string before = text("ca.key");
  CertsInit again;
  again.directory = directory;
  expect_failed(ExitCode::usage, "ca.key: exists", init_certs(again, out));
  EXPECT_EQ(text("ca.key"), before);
  expect_done(issue_certs(node(1), out));
  const std::string certificate = text("node-1.crt");
  expect_failed(ExitCode::usage, "node-1.key: exists", issue_certs(node(1), out));
  EXPECT_EQ(text("node-1.crt"), certificate);
}

TEST_F(CertsTest, WhatCannotBeIsRefusedAndLeavesNothing) {
  expect_failed(ExitCode::io, "diskeyval certs init", issue_certs(node(1), out));
  init();
  expect_failed(ExitCode::usage, "--host", issue_certs(node(1, {"a b"}), out));
  expect_failed(ExitCode::usage, "--name", issue_certs(client("An na"), out));
  CertsIssue long_ago = node(1);
  long_ago.days = 0;
  expect_failed(ExitCode::usage, "--days", issue_certs(long_ago, out));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory), fs::directory_iterator()), 2);
}

TEST_F(CertsTest, AKeyThatOthersCanReadSignsNothing) {
  init();
  fs::permissions(directory / "ca.key", fs::perms::group_read, fs::perm_options::add);
  expect_failed(ExitCode::io, "0600", issue_certs(node(1), out));
}

TEST_F(CertsTest, ANodeIsNoAuthority) {
  init();
  expect_done(issue_certs(node(1), out));
  fs::copy_file(directory / "node-1.crt", directory / "ca.crt", fs::copy_options::overwrite_existing);
  expect_failed(ExitCode::bad_data, "ca.crt", issue_certs(node(2), out));
}

TEST_F(CertsTest, WhatIsRevokedStaysRevoked) {
  init();
  expect_done(issue_certs(node(1), out));
  expect_done(issue_certs(node(2), out));
  CertsRevoke revoke;
  revoke.directory = directory;
  revoke.certificates = {directory / "node-1.crt"};
  expect_done(revoke_certs(revoke, out));
  const std::string first = text("revoked.crl");
  EXPECT_FALSE(first.empty());
  revoke.certificates = {directory / "node-2.crt"};
  expect_done(revoke_certs(revoke, out));
  EXPECT_GT(text("revoked.crl").size(), first.size());
  revoke.certificates.clear();
  const std::size_t both = text("revoked.crl").size();
  expect_done(revoke_certs(revoke, out));
  EXPECT_NEAR(static_cast<double>(text("revoked.crl").size()), static_cast<double>(both), 8);
  EXPECT_FALSE(fs::exists(directory / "revoked.crl.new"));
}

TEST_F(CertsTest, OnlyWhatTheAuthorityIssuedIsRevoked) {
  init();
  CertsInit other;
  other.directory = directory / "other";
  expect_done(init_certs(other, out));
  CertsIssue foreign = node(1);
  foreign.directory = other.directory;
  expect_done(issue_certs(foreign, out));
  CertsRevoke revoke;
  revoke.directory = directory;
  revoke.certificates = {other.directory / "node-1.crt"};
  expect_failed(ExitCode::bad_data, "was not issued by", revoke_certs(revoke, out));
  revoke.certificates = {directory / "ca.crt"};
  expect_failed(ExitCode::bad_data, "was not issued by", revoke_certs(revoke, out));
  EXPECT_FALSE(fs::exists(directory / "revoked.crl"));
}

TEST_F(CertsTest, ADamagedListIsKept) {
  init();
  expect_done(issue_certs(node(1), out));
  std::ofstream(directory / "revoked.crl") << "no list";
  CertsRevoke revoke;
  revoke.directory = directory;
  revoke.certificates = {directory / "node-1.crt"};
  expect_failed(ExitCode::bad_data, "revoked.crl", revoke_certs(revoke, out));
  EXPECT_EQ(text("revoked.crl"), "no list");
}

TEST_F(CertsTest, ShownForPeople) {
  init();
  expect_done(issue_certs(node(3, {"127.0.0.1"}), out));
  out.str("");
  CertsShow show;
  show.files = {directory / "node-3.crt"};
  expect_done(show_certs(show, out));
  for (const char* part : {"identity    raft://00000000000000c1/3", "hosts       127.0.0.1",
                           "may be      server, client", "valid until 20"})
    EXPECT_NE(out.str().find(part), std::string::npos) << part << " in\n" << out.str();
  EXPECT_EQ(out.str().find("EXPIRED"), std::string::npos);
  show.files = {directory / "node-3.key"};
  expect_failed(ExitCode::bad_data, "holds no certificate", show_certs(show, out));
  show.files = {directory / "none.crt"};
  expect_failed(ExitCode::io, "none.crt", show_certs(show, out));
}

}  // namespace
}  // namespace raftlab::diskeyval
