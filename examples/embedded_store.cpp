// The store inside of a program: three nodes with mutual TLS, each with a thread of its own. Anybody may be asked; what one node
// takes, all of them have.
#include "net/certificates.hpp"
#include "net/node.hpp"

#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using namespace raftlab;  // NOLINT(google-build-using-namespace): a short program
using boost::asio::use_future;
using raft::NodeId;

namespace {

constexpr std::uint32_t count = 3;
const net::ClusterId cluster(0xC0FFEE);

template <class Value, class Error>
Value must(std::variant<Value, Error> result) {
  if (auto* error = std::get_if<Error>(&result)) throw std::runtime_error(net::name(*error));
  return std::get<Value>(std::move(result));
}

/// An authority, and a certificate for each node.
void make_certificates(const std::filesystem::path& directory) {
  const net::Lifetime day{static_cast<std::int64_t>(std::time(nullptr)), 1};
  const net::Issued authority = must(net::make_authority(cluster, day));
  if (net::write_issued(directory, "ca", authority) != net::FileError::none)
    throw std::runtime_error("cannot write certificates");
  for (std::uint32_t id = 1; id <= count; ++id) {
    const net::Issued issued =
        must(net::issue_node(authority, net::NodeIdentity{cluster, NodeId(id)}, {"127.0.0.1"}, day));
    if (net::write_issued(directory, std::to_string(id), issued) != net::FileError::none)
      throw std::runtime_error("cannot write certificates");
  }
}

std::vector<raft::Member> members(std::uint16_t first_port) {
  std::vector<raft::Member> all;
  for (std::uint32_t id = 1; id <= count; ++id)
    all.push_back(raft::Member{NodeId(id), "node" + std::to_string(id),
                               "127.0.0.1:" + std::to_string(first_port + id)});
  return all;
}

std::unique_ptr<net::Node> start(std::uint32_t id, const std::filesystem::path& directory,
                                 std::uint16_t first_port) {
  net::NodeOptions options;
  options.id = NodeId(id);
  options.cluster = cluster.value();
  options.peers = members(first_port);
  options.persistence = net::Persistence{directory / ("data" + std::to_string(id))};
  options.host = "127.0.0.1";
  options.port = static_cast<std::uint16_t>(first_port + id);
  options.tls.certificate = directory / (std::to_string(id) + ".crt");
  options.tls.key = directory / (std::to_string(id) + ".key");
  options.tls.authorities = directory / "ca.crt";
  return net::Node::start(std::move(options));
}

void run(const std::filesystem::path& directory, std::uint16_t first_port) {
  make_certificates(directory);
  std::vector<std::unique_ptr<net::Node>> nodes;
  for (std::uint32_t id = 1; id <= count; ++id) nodes.push_back(start(id, directory, first_port));

  const kv::Answer put = nodes[0]->put("color", "green", use_future).get();
  std::cout << "put at node 1: " << kv::name(put.status) << '\n';
  const kv::Answer cas = nodes[1]->cas("color", "green", "blue", use_future).get();
  std::cout << "cas at node 2: " << kv::name(cas.status) << '\n';
  const kv::Answer get = nodes[2]->get("color", use_future).get();
  std::cout << "get at node 3: " << get.values.at(0).value_or("nothing") << '\n';
}

}  // namespace

int main(int argument_count, char** arguments) {
  std::string name = (std::filesystem::temp_directory_path() / "embedded-store-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return EXIT_FAILURE;
  int code = EXIT_SUCCESS;
  try {
    run(name, static_cast<std::uint16_t>(argument_count > 1 ? std::stoi(arguments[1]) : 11'050));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    code = EXIT_FAILURE;
  }
  std::filesystem::remove_all(name);
  return code;
}
