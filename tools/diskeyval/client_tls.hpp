#pragma once

#include "net/identity.hpp"
#include "net/tls.hpp"
#include "tools/diskeyval/exit_code.hpp"

#include <filesystem>
#include <optional>

struct ssl_st;
namespace boost::asio::ssl {
class context;
}

/// TLS as clients of a cluster use it: version 1.3, a certificate of their own, and a node at the other end.
namespace raftlab::diskeyval {

/// Reads the files into a context that verifies the other end's chain. Failures name the flag and the file.
[[nodiscard]] std::optional<Failure> load_tls(boost::asio::ssl::context& context, const net::TlsFiles& files);

/// Whose authority it is.
[[nodiscard]] Result<net::ClusterId> cluster_in(const std::filesystem::path& authorities);

/// The other end of an established session is a node of our cluster, whatever its host is called.
[[nodiscard]] bool is_node_of(const net::ClusterId& cluster, const ssl_st& session);

}  // namespace raftlab::diskeyval
