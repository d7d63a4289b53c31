#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <string>

/// For the .cpp files of net/.
namespace raftlab::net {

/// Opens the acceptor on `text`, which is "host:port", an IP address and a port; port 0: any free one. Throws std::runtime_error that names
/// address and reason.
void listen_on(boost::asio::ip::tcp::acceptor& acceptor, const std::string& text);

}  // namespace raftlab::net
