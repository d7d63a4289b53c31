#include "net/certificates.hpp"

#include "net/test_pki.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace raftlab::net {
namespace {

using namespace test;

CertificateDescription described(const Issued& issued) { return must(describe(issued.certificate)).front(); }

TEST(Certificates, AnAuthorityIsOne) {
  const Pki pki;
  const CertificateDescription authority = described(pki.authority);
  EXPECT_TRUE(authority.authority);
  EXPECT_EQ(authority.subject, "CN=raft://00000000000000c1/authority");
  EXPECT_EQ(authority.issuer, authority.subject);
  EXPECT_EQ(authority.key, "EC 256");
  EXPECT_EQ(authority.identity, "none (malformed)");
  EXPECT_EQ(authority.valid_until_s - authority.valid_from_s, 30 * day_s + 300);
}

TEST(Certificates, ANodeIsServerAndClient) {
  const Pki pki;
  const CertificateDescription node = described(
      must(issue_node(pki.authority, self(7), {"192.0.2.7", "2001:db8::7", "node7.example"}, lifetime())));
  EXPECT_EQ(node.identity, "raft://00000000000000c1/7");
  EXPECT_TRUE(node.server);
  EXPECT_TRUE(node.client);
  EXPECT_FALSE(node.authority);
  EXPECT_EQ(node.hosts, (std::vector<std::string>{"192.0.2.7", "2001:db8::7", "node7.example"}));
  EXPECT_EQ(node.serial.size(), 32U);
  EXPECT_EQ(node.sha256.size(), 64U);
  EXPECT_NE(node.serial, described(pki.node(7)).serial);
}

TEST(Certificates, AClientIsNoServer) {
  const Pki pki;
  const CertificateDescription client =
      described(must(issue_client(pki.authority, {cluster, ClientRole::admin, "ops.anna"}, lifetime())));
  EXPECT_EQ(client.identity, "raft://00000000000000c1/admin/ops.anna");
  EXPECT_FALSE(client.server);
  EXPECT_TRUE(client.client);
}

TEST(Certificates, TheAuthorityOfAClusterAndItsSuccessorAreOfOneCluster) {
  const std::string one = Pki().authority.certificate;
  const std::string next = Pki().authority.certificate;
  EXPECT_EQ(cluster_of(one), cluster);
  EXPECT_EQ(cluster_of(one + next), cluster);
  EXPECT_EQ(cluster_of(one + Pki(other_cluster).authority.certificate), std::nullopt);
  EXPECT_EQ(cluster_of(one + Pki().node(1).certificate), std::nullopt);
  EXPECT_EQ(cluster_of("garbage"), std::nullopt);
}

TEST(Certificates, WhatCannotBeIsRefused) {
  const Pki pki;
  const auto error = [](const auto& result) {
    const auto* found = std::get_if<CertificateError>(&result);
    return found == nullptr ? "none" : name(*found);
  };
  EXPECT_STREQ(error(make_authority(ClusterId(), lifetime())), "bad_identity");
  EXPECT_STREQ(error(make_authority(cluster, {std::time(nullptr), 0})), "bad_lifetime");
  EXPECT_STREQ(error(make_authority(cluster, {std::time(nullptr), lifetime_days_max + 1})), "bad_lifetime");
  EXPECT_STREQ(error(issue_node(pki.authority, {cluster, raft::NodeId()}, {}, lifetime())), "bad_identity");
  for (const char* host : {"", "*.example", "a b", "-a", "a-", "a..b", "a.", "1.2.3.4:5", "a\nb"})
    EXPECT_STREQ(error(issue_node(pki.authority, self(1), {host}, lifetime())), "bad_host") << host;
  for (const char* client : {"", "A", "a/b", "-a", "a b", "a\n"})
    EXPECT_STREQ(error(issue_client(pki.authority, {cluster, ClientRole::client, client}, lifetime())),
                 "bad_identity")
        << client;
  EXPECT_STREQ(
      error(issue_client(pki.authority, {cluster, ClientRole::client, std::string(65, 'a')}, lifetime())),
      "bad_identity");
  const Issued leaf = pki.node(1);
  EXPECT_STREQ(error(issue_node(leaf, self(2), {}, lifetime())), "not_an_authority");
  const Pki other;
  EXPECT_STREQ(error(issue_node({pki.authority.certificate, other.authority.key}, self(2), {}, lifetime())),
               "not_an_authority");
  EXPECT_STREQ(error(issue_node({"garbage", pki.authority.key}, self(2), {}, lifetime())),
               "not_a_certificate");
  EXPECT_STREQ(error(issue_node({pki.authority.certificate, "garbage"}, self(2), {}, lifetime())),
               "not_a_key");
  EXPECT_STREQ(error(describe("garbage")), "not_a_certificate");
  EXPECT_STREQ(error(revoke(pki.authority, "garbage", "01", lifetime())), "not_a_list");
  EXPECT_STREQ(error(revoke(pki.authority, "", "0x1", lifetime())), "bad_serial");
  EXPECT_STREQ(error(revoke(pki.authority, "", std::string(41, '1'), lifetime())), "bad_serial");
}

TEST(Certificates, AListOfSomebodyElseIsNotSigned) {
  const Pki pki;
  const Pki other;
  const std::string foreign = must(revoke(other.authority, "", "01", lifetime()));
  const auto result = revoke(pki.authority, foreign, "02", lifetime());
  EXPECT_EQ(std::get<CertificateError>(result), CertificateError::not_a_list);
}

TEST(Certificates, AListKeepsWhatIsOnIt) {
  const Pki pki;
  std::string list;
  for (const char* serial : {"0a", "ff00", "0A"})
    list = must(revoke(pki.authority, list, serial, lifetime()));
  const BioPointer bio = reader_of(list);
  const RevocationListPointer read(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(read.get())), 2);
  EXPECT_EQ(X509_CRL_get_ext_count(read.get()), 2) << "the authority's key and the number, once each";
}

TEST(Certificates, FilesAreNewAndKeysAreSecret) {
  const Pki pki;
  const TestDirectory directory;
  const Issued issued = pki.node(1);
  ASSERT_EQ(write_issued(directory.path(), "node1", issued), FileError::none);
  struct stat status {};
  ASSERT_EQ(::stat((directory.path() / "node1.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  ASSERT_EQ(::stat((directory.path() / "node1.crt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
  EXPECT_EQ(write_issued(directory.path(), "node1", pki.node(1)), FileError::exists);
  EXPECT_EQ(must(read_file(directory.path() / "node1.key", 10'000, Access::owner_only)), issued.key);
  EXPECT_EQ(must(read_file(directory.path() / "node1.crt", 10'000)), issued.certificate);

  // A certificate in the way: then there shall be no key without one either.
  std::filesystem::remove(directory.path() / "node1.key");
  EXPECT_EQ(write_issued(directory.path(), "node1", issued), FileError::exists);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory.path())) ++files;
  EXPECT_EQ(files, 1U) << "no temporary file is left";
}

TEST(Files, WhatIsNoFileOrTooLongIsNotRead) {
  const TestDirectory directory;
  const auto error = [](const std::variant<std::string, FileError>& result) {
    const auto* found = std::get_if<FileError>(&result);
    return found == nullptr ? "none" : name(*found);
  };
  EXPECT_STREQ(error(read_file(directory.path() / "missing", 10)), "missing");
  EXPECT_STREQ(error(read_file(directory.path(), 10)), "io");
  const std::filesystem::path pipe = directory.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_STREQ(error(read_file(pipe, 10)), "io");
  put(directory.path() / "long", "12345678901");
  EXPECT_STREQ(error(read_file(directory.path() / "long", 10)), "too_large");
  EXPECT_EQ(must(read_file(directory.path() / "long", 11)), "12345678901");
  EXPECT_STREQ(error(read_file(directory.path() / "long", 11, Access::owner_only)), "permissions");
}

}  // namespace
}  // namespace raftlab::net
