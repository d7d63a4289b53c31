#include "net/listen.hpp"

#include "net/address.hpp"

#include <boost/asio/ip/address.hpp>
#include <fcntl.h>

#include <optional>
#include <stdexcept>

namespace raftlab::net {

namespace asio = boost::asio;

void listen_on(asio::ip::tcp::acceptor& acceptor, const std::string& text) {
  const auto check = [&](bool succeeded, const std::string& why) {
    if (!succeeded) throw std::runtime_error("cannot listen on " + text + ": " + why);
  };
  const std::optional<Address> address = parse_address(text);
  check(address.has_value(), "not an IP address and a port");
  boost::system::error_code error;
  const asio::ip::address ip = asio::ip::make_address(address->host, error);
  check(!error, "not an IP address");
  const asio::ip::tcp::endpoint endpoint(ip, address->port);
  acceptor.open(endpoint.protocol(), error);
  check(!error, error.message());
  ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  // A node that was restarted need not wait for the connections of its former life to be forgotten.
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  check(!error, error.message());
  acceptor.bind(endpoint, error);
  check(!error, error.message());
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  check(!error, error.message());
}

}  // namespace raftlab::net
