#include "tools/diskeyval/client_tls.hpp"

#include "net/certificates.hpp"

#include <boost/asio/ssl/context.hpp>

#include <string>
#include <variant>

namespace raftlab::diskeyval {
namespace {

constexpr std::size_t file_bytes_max = 1U << 20U;

}  // namespace

std::optional<Failure> load_tls(boost::asio::ssl::context& context, const net::TlsFiles& files) {
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
  boost::system::error_code error;
  context.load_verify_file(files.authorities.string(), error);
  if (error)
    return Failure{ExitCode::bad_data, "--ca: " + files.authorities.string() + ": " + error.message()};
  context.use_certificate_chain_file(files.certificate.string(), error);
  if (error)
    return Failure{ExitCode::bad_data, "--cert: " + files.certificate.string() + ": " + error.message()};
  context.use_private_key_file(files.key.string(), boost::asio::ssl::context::pem, error);
  if (error) return Failure{ExitCode::bad_data, "--key: " + files.key.string() + ": " + error.message()};
  context.set_verify_mode(boost::asio::ssl::verify_peer);
  return std::nullopt;
}

Result<net::ClusterId> cluster_in(const std::filesystem::path& authorities) {
  const auto text = net::read_file(authorities, file_bytes_max);
  if (const auto* error = std::get_if<net::FileError>(&text))
    return Failure{ExitCode::io,
                   "--ca: " + authorities.string() + " cannot be read (" + net::name(*error) + ")"};
  const auto cluster = net::cluster_of(std::get<std::string>(text));
  if (!cluster)
    return Failure{ExitCode::bad_data, "--ca: " + authorities.string() + " is no authority of a cluster"};
  return *cluster;
}

bool is_node_of(const net::ClusterId& cluster, const SSL& session) {
  X509* const certificate = SSL_get1_peer_certificate(&session);
  if (certificate == nullptr) return false;
  const auto identity = net::identity_of(*certificate);
  X509_free(certificate);
  const auto* known = std::get_if<net::Identity>(&identity);
  const auto* node = known != nullptr ? std::get_if<net::NodeIdentity>(known) : nullptr;
  return node != nullptr && node->cluster == cluster;
}

}  // namespace raftlab::diskeyval
