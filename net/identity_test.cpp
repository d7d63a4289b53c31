#include "net/identity.hpp"

#include "net/certificate_builder.hpp"
#include "net/test_pki.hpp"

#include <gtest/gtest.h>

#include <map>

namespace raftlab::net {
namespace {

using namespace test;
using namespace std::string_literals;

const std::string ours = "raft://00000000000000c1/";

std::string identity_with(const std::optional<std::vector<AlternativeName>>& names,
                          const std::string& common_name = "node") {
  CertificateSpec spec;
  spec.common_name = common_name;
  spec.names = names;
  spec.validity = validity();
  const auto identity = identity_of(*build_certificate(spec, nullptr).certificate);
  const auto* found = std::get_if<Identity>(&identity);
  return found == nullptr ? name(std::get<IdentityError>(identity)) : uri_of(*found);
}

TEST(Identity, IsWrittenAndReadInOneWay) {
  EXPECT_EQ(parse_identity(ours + "7"), Identity(self(7)));
  EXPECT_EQ(parse_identity(ours + "4294967295"), Identity(self(4294967295U)));
  EXPECT_EQ(parse_identity(ours + "client/a"), Identity(ClientIdentity{cluster, ClientRole::client, "a"}));
  EXPECT_EQ(parse_identity(ours + "admin/a.b-c_1"),
            Identity(ClientIdentity{cluster, ClientRole::admin, "a.b-c_1"}));
  for (const std::string& text : {""s,
                                  "raft://"s,
                                  ours,
                                  ours + "0",
                                  ours + "07",
                                  ours + "-7",
                                  ours + "+7",
                                  ours + " 7",
                                  ours + "7 ",
                                  ours + "7/",
                                  ours + "4294967296",
                                  ours + "18446744073709551623",
                                  ours + "client/",
                                  ours + "client/A",
                                  ours + "client/" + std::string(65, 'a'),
                                  ours + "root/a",
                                  ours + "7\0"s,
                                  "raft://c1/7"s,
                                  "raft://00000000000000C1/7"s,
                                  "raft://-0000000000000c1/7"s,
                                  "RAFT://00000000000000c1/7"s,
                                  "raft:/00000000000000c1/7"s,
                                  ours + "*"})
    EXPECT_EQ(parse_identity(text), std::nullopt) << text;
}

TEST(Identity, OfACertificateIsItsOneNameOfOurs) {
  EXPECT_EQ(identity_with({{{NameKind::uri, ours + "7"}}}), ours + "7");
  EXPECT_EQ(identity_with({{{NameKind::dns, "n7.example"},
                            {NameKind::uri, "spiffe://example/n7"},
                            {NameKind::uri, ours + "7"},
                            {NameKind::ip, "\x7f\0\0\x01"s}}}),
            ours + "7");
}

TEST(Identity, OfACertificateWithoutOneIsMissing) {
  EXPECT_EQ(identity_with({{{NameKind::dns, "n7.example"}}}), "missing");
  EXPECT_EQ(identity_with({{}}), "missing");
  EXPECT_EQ(identity_with(std::nullopt), "missing");
  EXPECT_EQ(identity_with(std::nullopt, ""), "missing");
}

TEST(Identity, NearlyOursIsMalformed) {
  for (const std::string& text : {"RAFT://00000000000000c1/7"s, " raft://00000000000000c1/7"s, ours + "07",
                                  ours + "7\0"s, "spiffe://a\0b"s, "raft:7"s, "raft"s})
    EXPECT_EQ(identity_with({{{NameKind::uri, text}}}), "malformed") << text;
  EXPECT_EQ(identity_with({{{NameKind::uri, ours + "7"}, {NameKind::dns, "a\0b"s}}}), "malformed");
  EXPECT_EQ(identity_with({{{NameKind::uri, ours + "7"}, {NameKind::uri, ours + "0"}}}), "ambiguous");
}

TEST(Identity, TwoOfThemAreAmbiguousAlsoWhenTheyAreEqual) {
  EXPECT_EQ(identity_with({{{NameKind::uri, ours + "7"}, {NameKind::uri, ours + "8"}}}), "ambiguous");
  EXPECT_EQ(identity_with({{{NameKind::uri, ours + "7"}, {NameKind::uri, ours + "7"}}}), "ambiguous");
}

TEST(Identity, StandsInTheCommonNameOnlyWhenThereAreNoAlternativeNames) {
  EXPECT_EQ(identity_with(std::nullopt, ours + "7"), ours + "7");
  EXPECT_EQ(identity_with(std::nullopt, ours + "07"), "malformed");
  EXPECT_EQ(identity_with({{}}, ours + "7"), "missing");
  EXPECT_EQ(identity_with({{{NameKind::dns, "n7.example"}}}, ours + "7"), "missing");
  EXPECT_EQ(identity_with({{{NameKind::uri, ours + "9"}}}, ours + "7"), ours + "9");
}

TEST(Identity, OfTooManyNamesIsRefused) {
  std::vector<AlternativeName> names(alternative_names_max - 1, {NameKind::dns, "n"});
  names.push_back({NameKind::uri, ours + "7"});
  EXPECT_EQ(identity_with(names), ours + "7");
  names.push_back({NameKind::dns, "n"});
  EXPECT_EQ(identity_with(names), "too_many");
}

}  // namespace
}  // namespace raftlab::net
