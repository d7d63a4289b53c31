#pragma once

#include "net/certificate_builder.hpp"
#include "net/certificates.hpp"
#include "net/tls.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>

/// Certificates for tests, sensible ones and others.
namespace raftlab::net::test {

inline constexpr ClusterId cluster{0xc1};
inline constexpr ClusterId other_cluster{0xc2};
inline constexpr std::int64_t day_s = 24 * 60 * 60;

inline Lifetime lifetime() { return {std::time(nullptr), 30}; }
inline Validity validity() { return {std::time(nullptr) - 60, std::time(nullptr) + day_s}; }

/// Of something that cannot fail in a test.
template <class Value, class Error>
Value must(std::variant<Value, Error> result) {
  if (const auto* error = std::get_if<Error>(&result)) throw std::runtime_error(name(*error));
  return std::move(std::get<Value>(result));
}

/// A directory that goes with its owner.
class TestDirectory {
 public:
  TestDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "net_test.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Replaces the file.
inline void put(const std::filesystem::path& path, const std::string& text, bool secret = false) {
  std::filesystem::remove(path);
  if (write_new_file(path, text, secret ? Access::owner_only : Access::anybody) != FileError::none)
    throw std::runtime_error("cannot write " + path.string());
}

inline Issued issued_of(const BuiltCertificate& built) {
  return {pem_of(*built.certificate), pem_of(*built.key)};
}
inline BuiltCertificate built_of(const Issued& issued) {
  return {std::move(certificates_of(issued.certificate).front()), key_of(issued.key)};
}

/// An authority, and the files of the nodes below one directory.
class Pki {
 public:
  explicit Pki(ClusterId of = cluster) : cluster_(of), authority(must(make_authority(of, lifetime()))) {}

  [[nodiscard]] Issued node(std::uint32_t number) const {
    return must(
        issue_node(authority, {cluster_, raft::NodeId(number)}, {"127.0.0.1", "localhost"}, lifetime()));
  }
  /// What a node looks like, for a test that changes it.
  [[nodiscard]] CertificateSpec spec(std::uint32_t number) const {
    CertificateSpec spec;
    spec.common_name = "node " + std::to_string(number);
    spec.names = {{NameKind::uri, uri_of(NodeIdentity{cluster_, raft::NodeId(number)})}};
    spec.extended_usage = "serverAuth,clientAuth";
    spec.validity = validity();
    return spec;
  }
  [[nodiscard]] Issued build(const CertificateSpec& spec) const {
    const BuiltCertificate issuer = built_of(authority);
    return issued_of(build_certificate(spec, &issuer));
  }

  /// Writes the files of a node, new ones or in the place of the old.
  TlsFiles files(std::uint32_t number, const Issued& issued) const {
    const std::filesystem::path stem = directory.path() / std::to_string(number);
    TlsFiles files{stem.string() + ".crt", stem.string() + ".key", stem.string() + ".ca", {}};
    put(files.certificate, issued.certificate);
    put(files.key, issued.key, true);
    put(files.authorities, authority.certificate);
    return files;
  }
  [[nodiscard]] TlsFiles files(std::uint32_t number) const { return files(number, node(number)); }

 private:
  ClusterId cluster_;

 public:
  TestDirectory directory;
  Issued authority;
};

inline NodeIdentity self(std::uint32_t number) { return {cluster, raft::NodeId(number)}; }

inline std::string serial_of(const Issued& issued) {
  return must(describe(issued.certificate)).front().serial;
}

}  // namespace raftlab::net::test
