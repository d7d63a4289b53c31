#include "net/http_fixture.hpp"

namespace raftlab::net {
namespace {

using namespace test;

/// The client port under TLS: who is let in, and what he may.
class HttpTls : public HttpFixture {
 protected:
  void begin(bool required = false, const std::string& revocations = "", const Tweak& tweak = nullptr) {
    files_ = pki_.files(1);
    if (!revocations.empty()) {
      files_.revocations = pki_.directory.path() / "revoked";
      test::put(files_.revocations, revocations);
    }
    start([&](HttpOptions& options) {
      options.tls = HttpTlsOptions{files_, self(1), required};
      options.metrics = [] { return std::string("a_total 1\n"); };
      if (tweak) tweak(options);
    });
  }
  [[nodiscard]] Issued client(ClientRole role, ClusterId of = cluster) const {
    return must(issue_client(pki_.authority, ClientIdentity{of, role, "alice"}, lifetime()));
  }
  HttpTestClient& dial_tls(const Issued* issued, const Tune& tune = nullptr) {
    HttpTestClient& dialled = dial();
    dialled.begin_tls(issued, tune);
    return dialled;
  }
  unsigned status_of(const Issued* issued, const std::string& bytes) {
    HttpTestClient& dialled = dial_tls(issued);
    const unsigned status = ask(dialled, bytes).status;
    dialled.close();
    return status;
  }
  /// SSL_set_tlsext_host_name, with a cast of this language.
  static void name_server(HttpTestClient& client, const char* name) {
    SSL_ctrl(&client.session(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name));
  }
  /// Nobody with this certificate gets an answer to anything.
  void expect_shut_out(const Issued* issued, Reason reason, int alert) {
    const std::uint64_t before = server().counters().failures(reason);
    HttpTestClient& dialled = dial_tls(issued);
    dialled.send(request("GET", "/healthz"));
    EXPECT_TRUE(ends(dialled));
    EXPECT_EQ(dialled.received, "");
    EXPECT_EQ(dialled.alert(), alert);
    EXPECT_TRUE(until([&] { return server().counters().failures(reason) == before + 1; })) << name(reason);
    dialled.close();
  }

  Pki pki_;
  TlsFiles files_;
};

TEST_F(HttpTls, C12_C25_RolesDecideWhatIsAllowed) {
  begin();
  const Issued user = client(ClientRole::client);
  const Issued admin = client(ClientRole::admin);
  struct Row {
    std::string bytes;
    unsigned none, client, admin;
  };
  const std::string key = request("PUT", "/kv/k", R"({"value":"v"})");
  const std::string members = R"({"members":[]})";
  for (const Row& row :
       {Row{request("GET", "/healthz"), 200, 200, 200}, Row{key, 403, 200, 200},
        Row{request("GET", "/kv/k"), 403, 200, 200},
        Row{request("POST", "/kv/mget", R"({"keys":["k"]})"), 403, 200, 200},
        Row{request("POST", "/sessions"), 403, 201, 201}, Row{request("GET", "/status"), 403, 200, 200},
        Row{request("GET", "/metrics"), 403, 200, 200},
        Row{request("POST", "/admin/reconfigure", members), 403, 403, 409},
        Row{request("POST", "/admin/transfer", R"({"target":1})"), 403, 403, 409},
        Row{request("POST", "/admin/read-policy", R"({"read":"lease"})"), 403, 403, 200},
        Row{request("POST", "/admin/snapshot"), 403, 403, 202}}) {
    SCOPED_TRACE(row.bytes);
    EXPECT_EQ(status_of(nullptr, row.bytes), row.none);
    EXPECT_EQ(status_of(&user, row.bytes), row.client);
    EXPECT_EQ(status_of(&admin, row.bytes), row.admin);
  }
  EXPECT_TRUE(told(Reason::request_forbidden));
  for (const LinkEvent& event : events) EXPECT_EQ(event.detail.find("kv/k"), std::string::npos);
}

TEST_F(HttpTls, C12_WithoutACertificateNobodySendsABody) {
  begin();
  HttpTestClient& stranger = dial_tls(nullptr);
  stranger.send("PUT /kv/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(answer(stranger).status, 403U);
  EXPECT_TRUE(ends(stranger));
}

TEST_F(HttpTls, C12_NodesAndOthersAreNoClients) {
  begin();
  const Issued node = pki_.node(2);
  const Issued other = client(ClientRole::admin, other_cluster);
  CertificateSpec spec = pki_.spec(2);
  spec.names.reset();
  spec.common_name = "somebody";
  const Issued nobody = pki_.build(spec);
  for (const Issued* issued : {&node, &other, &nobody})
    for (const char* path : {"/healthz", "/kv/k"}) EXPECT_EQ(status_of(issued, request("GET", path)), 403U);
  for (const Reason reason : {Reason::identity_role, Reason::cluster_mismatch, Reason::identity_missing}) {
    EXPECT_TRUE(told(reason)) << name(reason);
    EXPECT_EQ(server().counters().refusals(reason), 2U) << name(reason);
  }
}

TEST_F(HttpTls, C12_CertificatesThatDoNotHold) {
  const Issued revoked = client(ClientRole::client);
  begin(false, must(revoke(pki_.authority, "", serial_of(revoked), lifetime())));
  const Pki others;
  const Issued foreign =
      must(issue_client(others.authority, ClientIdentity{cluster, ClientRole::admin, "eve"}, lifetime()));
  CertificateSpec spec = pki_.spec(1);
  spec.names = {{NameKind::uri, uri_of(ClientIdentity{cluster, ClientRole::admin, "late"})}};
  spec.extended_usage = "clientAuth";
  spec.validity = {std::time(nullptr) - 2 * day_s, std::time(nullptr) - day_s};
  const Issued expired = pki_.build(spec);
  spec.validity = validity();
  spec.extended_usage = "serverAuth";
  const Issued server_only = pki_.build(spec);
  expect_shut_out(&revoked, Reason::certificate_revoked, SSL_AD_CERTIFICATE_REVOKED);
  expect_shut_out(&foreign, Reason::certificate_untrusted, SSL_AD_UNKNOWN_CA);
  expect_shut_out(&expired, Reason::certificate_expired, SSL_AD_CERTIFICATE_EXPIRED);
  expect_shut_out(&server_only, Reason::certificate_purpose, SSL_AD_UNSUPPORTED_CERTIFICATE);
  const Issued good = client(ClientRole::client);
  EXPECT_EQ(status_of(&good, request("GET", "/status")), 200U);
}

TEST_F(HttpTls, C12_ACertificateMayBeDemanded) {
  begin(true);
  expect_shut_out(nullptr, Reason::no_certificate, SSL_AD_CERTIFICATE_REQUIRED);
  const Issued good = client(ClientRole::client);
  EXPECT_EQ(status_of(&good, request("GET", "/healthz")), 200U);
}

TEST_F(HttpTls, C12_ARevocationEndsTheConnectionsOfToday) {
  const std::string none = must(revoke(pki_.authority, "", "", lifetime()));
  begin(false, none);
  const Issued bad = client(ClientRole::client);
  const Issued good = client(ClientRole::client);
  HttpTestClient& leaves = dial_tls(&bad);
  HttpTestClient& stays = dial_tls(&good);
  HttpTestClient& stranger = dial_tls(nullptr);
  for (HttpTestClient* each : {&leaves, &stays, &stranger})
    EXPECT_EQ(ask(*each, request("GET", "/healthz")).status, 200U);
  test::put(files_.revocations, "garbage");
  EXPECT_TRUE(server().reload());
  EXPECT_EQ(ask(leaves, request("GET", "/healthz")).status, 200U) << "a bad list changed something";
  test::put(files_.revocations, must(revoke(pki_.authority, none, serial_of(bad), lifetime())));
  EXPECT_FALSE(server().reload());
  EXPECT_TRUE(ends(leaves));
  for (HttpTestClient* each : {&stays, &stranger})
    EXPECT_EQ(ask(*each, request("GET", "/healthz")).status, 200U);
  expect_shut_out(&bad, Reason::certificate_revoked, SSL_AD_CERTIFICATE_REVOKED);
  EXPECT_TRUE(told(Reason::reloaded));
  EXPECT_TRUE(told(Reason::reload_failed));
  EXPECT_EQ(server().counters().reloads, 1U);
}

TEST_F(HttpTls, ANewCertificateIsUsedWithoutARestart) {
  begin();
  const Issued next = pki_.node(1);
  test::put(files_.certificate, next.certificate);
  test::put(files_.key, next.key, true);
  EXPECT_FALSE(server().reload());
  HttpTestClient& client = dial_tls(nullptr);
  EXPECT_EQ(ask(client, request("GET", "/healthz")).status, 200U);
  const auto shown = must(describe(pem_of(*SSL_get0_peer_certificate(&client.session()))));
  EXPECT_EQ(shown.front().serial, serial_of(next));
}

TEST_F(HttpTls, C22_PlainTextIsNoTls) {
  begin();
  HttpTestClient& client = dial();
  client.send(request("GET", "/healthz"));
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(client.received.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_TRUE(until([&] { return server().counters().failures(Reason::not_tls) == 1; }));
  EXPECT_TRUE(told(Reason::not_tls));
}

TEST_F(HttpTls, C22_OlderVersionsAreRefused) {
  begin();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}) {
    HttpTestClient& client = dial_tls(nullptr, [&](SSL_CTX& context) {
      SSL_CTX_set_max_proto_version(&context, version);
      SSL_CTX_set_cipher_list(&context, "ALL:@SECLEVEL=0");
    });
    EXPECT_TRUE(ends(client));
    EXPECT_EQ(client.alert(), SSL_AD_PROTOCOL_VERSION);
  }
  EXPECT_TRUE(until([&] { return server().counters().failures(Reason::tls_version) == 3; }));
}

TEST_F(HttpTls, C22_OtherCiphersAreRefused) {
  begin();
  HttpTestClient& client = dial_tls(nullptr, [](SSL_CTX& context) {
    SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(&context, "TLS_AES_128_CCM_8_SHA256");
  });
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(client.alert(), SSL_AD_HANDSHAKE_FAILURE);
  EXPECT_TRUE(until([&] { return server().counters().failures(Reason::tls_cipher) == 1; }));
}

TEST_F(HttpTls, C22_WhoAsksForAServerOfAnotherNameIsRefused) {
  begin();
  for (const char* name : {"evil.example", "node1", "localhost.evil.example", "raft"}) {
    HttpTestClient& client = dial_tls(nullptr);
    name_server(client, name);
    client.send(request("GET", "/healthz"));
    EXPECT_TRUE(ends(client)) << name;
    EXPECT_EQ(client.alert(), SSL_AD_UNRECOGNIZED_NAME) << name;
    EXPECT_EQ(client.received, "") << name;
  }
  EXPECT_TRUE(until([&] { return server().counters().failures(Reason::tls_failed) == 4; }));
  HttpTestClient& client = dial_tls(nullptr);
  name_server(client, "localhost");
  EXPECT_EQ(ask(client, request("GET", "/healthz")).status, 200U);
}

TEST_F(HttpTls, C22_UpdatesOfKeysHaveALimit) {
  begin();
  HttpTestClient& client = dial_tls(nullptr);
  ASSERT_EQ(ask(client, request("GET", "/healthz")).status, 200U);
  for (int i = 0; i < 1'000 && !client.ended(); ++i) {
    const WithoutSignal guard;
    SSL_key_update(&client.session(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(&client.session());
    if (i % 100 == 0) client.pump();
  }
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(nobody_is_left());
}

TEST_F(HttpTls, C01_HandshakesHaveADeadline) {
  begin(false, "", [](HttpOptions& options) { options.handshake_timeout = 200ms; });
  HttpTestClient& client = dial();
  client.send("\x16\x03\x01");
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(until([&] { return server().counters().failures(Reason::handshake_timeout) == 1; }));
  EXPECT_TRUE(told(Reason::handshake_timeout));
}

TEST_F(HttpTls, AnEndIsSaidAsTlsWantsIt) {
  begin();
  HttpTestClient& client = dial_tls(nullptr);
  EXPECT_EQ(ask(client, request("GET", "/healthz", "", "Connection: close\r\n")).status, 200U);
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(SSL_get_shutdown(&client.session()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  client.close();
  EXPECT_TRUE(nobody_is_left());
}

TEST_F(HttpTls, LongBodiesAndAnswersGoThroughTls) {
  begin();
  const Issued user = client(ClientRole::client);
  HttpTestClient& client = dial_tls(&user);
  const std::string long_value(1'000'000, 'v');
  EXPECT_EQ(ask(client, put("/kv/k", long_value)).status, 200U);
  EXPECT_EQ(value(ask(client, request("GET", "/kv/k"))), long_value);
  bool stopped = false;
  server().stop(http_patience, [&] { stopped = true; });
  EXPECT_TRUE(ends(client));
  client.close();
  EXPECT_TRUE(until([&] { return stopped; }));
}

TEST_F(HttpTls, CertificatesThatCannotBeUsedStopTheStart) {
  start();
  HttpOptions options;
  options.listen = "0.0.0.0:0";
  options.tls = HttpTlsOptions{pki_.files(1), self(2), false};
  const auto made = HttpServer::make(loop, *nodes[0].api, options);
  ASSERT_TRUE(std::holds_alternative<HttpError>(made));
  EXPECT_EQ(std::get<HttpError>(made).kind, HttpError::Kind::tls_failed);
  EXPECT_EQ(std::get<HttpError>(made).tls, TlsErrorKind::certificate_identity);
}

}  // namespace
}  // namespace raftlab::net
