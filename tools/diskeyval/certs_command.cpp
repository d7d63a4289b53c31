#include "tools/diskeyval/certs_command.hpp"

#include "net/certificates.hpp"
#include "net/fresh_number.hpp"

#include <array>
#include <ctime>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string_view>
#include <utility>

namespace raftlab::diskeyval {
namespace {

namespace fs = std::filesystem;

constexpr const char* authority_stem = "ca";
constexpr const char* list_name = "revoked.crl";
constexpr std::size_t file_bytes_max = 1U << 20U;

net::Lifetime from_now(int days) { return {static_cast<std::int64_t>(std::time(nullptr)), days}; }

std::string day_of(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&time, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts) == 0)
    return std::to_string(seconds);
  return text.data();
}

Failure file_failure(const fs::path& path, net::FileError error) {
  switch (error) {
    case net::FileError::missing: return {ExitCode::io, path.string() + ": there is no such file"};
    case net::FileError::exists:
      return {ExitCode::usage, path.string() + ": exists, and nothing is overwritten"};
    case net::FileError::permissions:
      return {ExitCode::io, path.string() + ": its permissions forbid it (a key has mode 0600)"};
    case net::FileError::too_large:
      return {ExitCode::bad_data, path.string() + ": is larger than 1 MiB, which no certificate is"};
    default: return {ExitCode::io, path.string() + ": cannot be read or written"};
  }
}

Failure certificate_failure(net::CertificateError error, const std::string& about) {
  switch (error) {
    case net::CertificateError::not_a_certificate:
      return {ExitCode::bad_data, about + ": holds no certificate"};
    case net::CertificateError::not_a_key:
      return {ExitCode::bad_data, about + ": holds no private key that can be read"};
    case net::CertificateError::not_an_authority:
      return {ExitCode::bad_data, about + ": certificate and key are no authority's, or not of each other"};
    case net::CertificateError::not_a_list:
      return {ExitCode::bad_data, about + ": no list of revoked certificates that this authority signed"};
    case net::CertificateError::bad_identity:
      return {ExitCode::usage,
              "--name: 1 to 64 of a-z, 0-9, '.', '_', '-' were expected, a letter or a digit first"};
    case net::CertificateError::bad_host:
      return {ExitCode::usage, "--host: an IP address or a DNS name was expected, at most 63 of them"};
    case net::CertificateError::bad_lifetime:
      return {ExitCode::usage, "--days: 1 to " + std::to_string(net::lifetime_days_max) + " were expected"};
    case net::CertificateError::bad_serial: break;
  }
  return {ExitCode::internal, about + ": " + net::name(error)};
}

Result<std::string> read(const fs::path& path, net::Access access = net::Access::anybody) {
  auto text = net::read_file(path, file_bytes_max, access);
  if (const auto* error = std::get_if<net::FileError>(&text)) return file_failure(path, *error);
  return std::get<std::string>(std::move(text));
}

/// The first certificate of a file.
Result<net::CertificateDescription> described(const fs::path& path) {
  const auto text = read(path);
  if (const Failure* failed = failure(text)) return *failed;
  auto all = net::describe(std::get<std::string>(text));
  if (const auto* error = std::get_if<net::CertificateError>(&all))
    return certificate_failure(*error, path.string());
  return std::get<std::vector<net::CertificateDescription>>(all).front();
}

/// An authority as it stands in its directory.
struct Authority {
  net::Issued files;
  net::ClusterId cluster;
};

Result<Authority> read_authority(const fs::path& directory) {
  const fs::path certificate = directory / (std::string(authority_stem) + ".crt");
  const auto text = read(certificate);
  if (const Failure* failed = failure(text)) {
    return Failure{failed->code, failed->message + " (diskeyval certs init makes an authority)"};
  }
  const auto key = read(directory / (std::string(authority_stem) + ".key"), net::Access::owner_only);
  if (const Failure* failed = failure(key)) return *failed;
  const std::optional<net::ClusterId> cluster = net::cluster_of(std::get<std::string>(text));
  if (!cluster) {
    return Failure{ExitCode::bad_data,
                   certificate.string() + ": is no authority that diskeyval certs init has made"};
  }
  Authority authority;
  authority.files.certificate = std::get<std::string>(text);
  authority.files.key = std::get<std::string>(key);
  authority.cluster = *cluster;
  return authority;
}

std::optional<Failure> write(const fs::path& directory, const std::string& stem, const net::Issued& issued) {
  for (const char* end : {".key", ".crt"}) {
    const fs::path path = directory / (stem + end);
    if (fs::exists(path)) return file_failure(path, net::FileError::exists);
  }
  const net::FileError error = net::write_issued(directory, stem, issued);
  if (error == net::FileError::none) return std::nullopt;
  return file_failure(directory / (stem + ".crt"), error);
}

void line(std::ostream& out, std::string_view label, const std::string& text) {
  if (text.empty()) return;
  out << std::left << std::setw(12) << label << text << '\n';
}

void print(std::ostream& out, const net::CertificateDescription& certificate) {
  std::string hosts;
  for (const std::string& host : certificate.hosts) hosts += (hosts.empty() ? "" : ", ") + host;
  std::string uses;
  for (const auto& [may, use] : {std::pair{certificate.authority, "authority"},
                                 {certificate.server, "server"},
                                 {certificate.client, "client"}}) {
    if (may) uses += std::string(uses.empty() ? "" : ", ") + use;
  }
  line(out, "identity", certificate.identity);
  line(out, "subject", certificate.subject);
  line(out, "issuer", certificate.issuer);
  line(out, "hosts", hosts);
  line(out, "may be", uses);
  line(out, "valid from", day_of(certificate.valid_from_s));
  const bool over = certificate.valid_until_s < static_cast<std::int64_t>(std::time(nullptr));
  line(out, "valid until", day_of(certificate.valid_until_s) + (over ? "  EXPIRED" : ""));
  line(out, "key", certificate.key);
  line(out, "serial", certificate.serial);
  line(out, "sha256", certificate.sha256);
}

}  // namespace

std::optional<Failure> init_certs(const CertsInit& options, std::ostream& out) {
  std::error_code error;
  fs::create_directories(options.directory, error);
  if (error) return Failure{ExitCode::io, options.directory.string() + ": " + error.message()};
  std::uint64_t number = options.cluster.value_or(0);
  if (options.cluster && number == 0) return Failure{ExitCode::usage, "--cluster: 0 is no cluster"};
  while (number == 0) number = net::fresh_number();
  const auto made = net::make_authority(net::ClusterId(number), from_now(options.days));
  if (const auto* refused = std::get_if<net::CertificateError>(&made))
    return certificate_failure(*refused, "the authority");
  if (auto failed = write(options.directory, authority_stem, std::get<net::Issued>(made))) return failed;

  std::ostringstream cluster;
  cluster << std::hex << std::setw(16) << std::setfill('0') << number;
  line(out, "cluster", cluster.str());
  line(out, "authority", (options.directory / "ca.crt").string());
  line(out, "secret",
       (options.directory / "ca.key").string() + "  signs for the whole cluster: keep it off the nodes");
  line(out, "next", "diskeyval certs issue --dir " + options.directory.string() + " --node 1 --host HOST");
  return std::nullopt;
}

std::optional<Failure> issue_certs(const CertsIssue& options, std::ostream& out) {
  const auto read = read_authority(options.directory);
  if (const Failure* failed = failure(read)) return *failed;
  const auto& authority = std::get<Authority>(read);

  std::string stem;
  std::variant<net::Issued, net::CertificateError> made;
  if (options.node) {
    stem = "node-" + std::to_string(options.node->value());
    made = net::issue_node(authority.files, net::NodeIdentity{authority.cluster, *options.node},
                           options.hosts, from_now(options.days));
  } else {
    const net::ClientRole role = options.admin ? net::ClientRole::admin : net::ClientRole::client;
    net::ClientIdentity identity;
    identity.cluster = authority.cluster;
    identity.role = role;
    identity.name = options.name;
    stem = std::string(net::name(role)) + '-' + options.name;
    made = net::issue_client(authority.files, identity, from_now(options.days));
  }
  if (const auto* refused = std::get_if<net::CertificateError>(&made))
    return certificate_failure(*refused, options.directory.string());
  if (auto failed = write(options.directory, stem, std::get<net::Issued>(made))) return failed;
  line(out, "certificate", (options.directory / (stem + ".crt")).string());
  line(out, "secret", (options.directory / (stem + ".key")).string());
  return std::nullopt;
}

std::optional<Failure> revoke_certs(const CertsRevoke& options, std::ostream& out) {
  const auto read_one = read_authority(options.directory);
  if (const Failure* failed = failure(read_one)) return *failed;
  const auto& authority = std::get<Authority>(read_one);
  const fs::path path = options.directory / list_name;

  std::string list;
  if (fs::exists(path)) {
    auto text = read(path);
    if (const Failure* failed = failure(text)) return *failed;
    list = std::get<std::string>(std::move(text));
  }
  std::vector<std::string> serials;
  for (const fs::path& file : options.certificates) {
    const auto certificate = described(file);
    if (const Failure* failed = failure(certificate)) return *failed;
    const auto& known = std::get<net::CertificateDescription>(certificate);
    const auto authorities = net::describe(authority.files.certificate);
    const auto& issuer = std::get<std::vector<net::CertificateDescription>>(authorities).front();
    if (known.authority || known.issuer != issuer.subject)
      return Failure{ExitCode::bad_data, file.string() + ": was not issued by " + issuer.subject};
    serials.push_back(known.serial);
  }
  if (serials.empty()) serials.emplace_back();
  for (const std::string& serial : serials) {
    auto next = net::revoke(authority.files, list, serial, from_now(options.days));
    if (const auto* refused = std::get_if<net::CertificateError>(&next))
      return certificate_failure(*refused, path.string());
    list = std::get<std::string>(std::move(next));
  }

  // The old list stays until the new one is there as a whole.
  const fs::path fresh = path.string() + ".new";
  std::error_code error;
  fs::remove(fresh, error);
  if (const auto wrong = net::write_new_file(fresh, list, net::Access::anybody);
      wrong != net::FileError::none)
    return file_failure(fresh, wrong);
  fs::rename(fresh, path, error);
  if (error) return Failure{ExitCode::io, path.string() + ": " + error.message()};
  line(out, "list", path.string());
  line(out, "next",
       "copy it to every node, and there: kill -HUP (the list ends in " + std::to_string(options.days) +
           " days)");
  return std::nullopt;
}

std::optional<Failure> show_certs(const CertsShow& options, std::ostream& out) {
  for (const fs::path& file : options.files) {
    const auto text = read(file);
    if (const Failure* failed = failure(text)) return *failed;
    const auto all = net::describe(std::get<std::string>(text));
    if (const auto* refused = std::get_if<net::CertificateError>(&all))
      return certificate_failure(*refused, file.string());
    for (const auto& certificate : std::get<std::vector<net::CertificateDescription>>(all)) {
      line(out, "file", file.string());
      print(out, certificate);
      out << '\n';
    }
  }
  return std::nullopt;
}

}  // namespace raftlab::diskeyval
