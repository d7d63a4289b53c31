#include "tools/diskeyval/client.hpp"

#include "tools/diskeyval/client_tls.hpp"
#include "tools/diskeyval/request_text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <thread>
#include <utility>

namespace raftlab::diskeyval {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Clock = std::chrono::steady_clock;
using Error = boost::system::error_code;

namespace {

constexpr std::uint64_t reply_bytes_max = 64ULL << 20U;
constexpr std::chrono::milliseconds pause_between_rounds{50};
constexpr std::chrono::seconds patience_least{1};

}  // namespace

class Client::Implementation {
 public:
  explicit Implementation(ClientOptions options) : options_(std::move(options)) {}

  std::optional<Failure> load() {
    if (!options_.tls) return std::nullopt;
    const auto cluster = cluster_in(options_.tls->authorities);
    if (const Failure* failed = failure(cluster)) return *failed;
    cluster_ = std::get<net::ClusterId>(cluster);
    return load_tls(context_, *options_.tls);
  }

  Reply ask_one(const net::Address& node, const std::string& method, const std::string& target,
                const std::string& body, Clock::time_point end) {
    std::string request;
    append_request(request, method, target, net::text_of(node), body);

    Reply reply;
    reply.from = node;
    // A connection that is left from before may have been closed meanwhile; then a new one is tried.
    const bool kept = connections_.contains(net::text_of(node));
    if (!exchange(node, request, end, reply) && kept && Clock::now() < end)
      exchange(node, request, end, reply);
    return reply;
  }

  Reply ask(const std::string& method, const std::string& target, const std::string& body) {
    const auto end = Clock::now() + options_.timeout;
    // Who hangs must not use up the time in which another one would answer.
    const auto patience =
        std::max<Clock::duration>(options_.timeout / options_.endpoints.size(), patience_least);
    bool asked = false;
    for (std::size_t tried = 1;; ++tried) {
      const net::Address& node = options_.endpoints[next_];
      Reply reply = ask_one(node, method, target, body, std::min(end, Clock::now() + patience));
      reply.asked = asked = asked || reply.asked;
      if (reply.decides()) return reply;
      next_ = (next_ + 1) % options_.endpoints.size();
      if (Clock::now() >= end) return reply;
      if (tried % options_.endpoints.size() == 0) std::this_thread::sleep_for(pause_between_rounds);
    }
  }

  [[nodiscard]] const std::vector<net::Address>& endpoints() const { return options_.endpoints; }
  [[nodiscard]] Clock::time_point end() const { return Clock::now() + options_.timeout; }

 private:
  using Plain = beast::tcp_stream;
  using Secure = asio::ssl::stream<beast::tcp_stream>;
  struct Connection {
    std::unique_ptr<Plain> plain;
    std::unique_ptr<Secure> secure;
    Plain& tcp() const { return secure ? beast::get_lowest_layer(*secure) : *plain; }
  };

  /// Starts something, and waits for it until the end.
  template <class Start>
  Error wait(Connection& connection, Clock::time_point end, Start start) {
    Error result = asio::error::would_block;
    connection.tcp().expires_at(end);
    start([&result](const Error& error) { result = error; });
    loop_.restart();
    loop_.run();
    return result;
  }

  /// The error of the step that failed; none: there is a connection.
  std::string connect(const net::Address& node, Clock::time_point end) {
    Error error;
    asio::ip::tcp::resolver resolver(loop_);
    const auto found = resolver.resolve(node.host, std::to_string(node.port), error);
    if (error) return "cannot find " + node.host + ": " + error.message();
    Connection connection;
    if (options_.tls) {
      connection.secure = std::make_unique<Secure>(loop_, context_);
    } else {
      connection.plain = std::make_unique<Plain>(loop_);
    }
    error = wait(connection, end, [&](auto done) {
      connection.tcp().async_connect(found, [done](const Error& e, const auto& /*endpoint*/) { done(e); });
    });
    if (error) return "cannot connect: " + error.message();
    if (connection.secure) {
      error = wait(connection, end, [&](auto done) {
        connection.secure->async_handshake(asio::ssl::stream_base::client,
                                           [done](const Error& e) { done(e); });
      });
      if (error) return "no TLS: " + error.message();
      if (!is_node_of(cluster_, *connection.secure->native_handle())) return "it is no node of this cluster";
    }
    connections_.insert_or_assign(net::text_of(node), std::move(connection));
    return "";
  }

  bool exchange(const net::Address& node, const std::string& request, Clock::time_point end, Reply& reply) {
    const std::string name = net::text_of(node);
    if (!connections_.contains(name)) {
      reply.why = connect(node, end);
      if (!reply.why.empty()) return false;
    }
    Connection& connection = connections_.at(name);
    const auto over = [&](auto use) {
      if (connection.secure) {
        use(*connection.secure);
      } else {
        use(*connection.plain);
      }
    };
    reply.asked = true;
    Error error = wait(connection, end, [&](auto done) {
      over([&](auto& stream) {
        asio::async_write(stream, asio::buffer(request),
                          [done](const Error& e, std::size_t /*bytes*/) { done(e); });
      });
    });
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(reply_bytes_max);
    if (!error) {
      error = wait(connection, end, [&](auto done) {
        over([&](auto& stream) {
          http::async_read(stream, buffer, parser,
                           [done](const Error& e, std::size_t /*bytes*/) { done(e); });
        });
      });
    }
    if (error) {
      connections_.erase(name);
      reply.why = "no answer: " + error.message();
      return false;
    }
    reply.status = parser.get().result_int();
    reply.text = parser.get().body();
    reply.body = nlohmann::ordered_json::parse(reply.text, nullptr, false);
    if (reply.body.is_discarded()) reply.body = nullptr;
    if (!parser.keep_alive()) connections_.erase(name);
    return true;
  }

  ClientOptions options_;
  net::ClusterId cluster_;
  asio::io_context loop_{1};
  asio::ssl::context context_{asio::ssl::context::tls_client};
  std::map<std::string, Connection> connections_;
  std::size_t next_ = 0;
};

Client::Client(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(ClientOptions options) {
  auto implementation = std::make_unique<Implementation>(std::move(options));
  if (const auto failed = implementation->load()) return *failed;
  return std::unique_ptr<Client>(new Client(std::move(implementation)));
}

Reply Client::ask_one(const net::Address& node, const std::string& method, const std::string& target,
                      const std::string& body) {
  return implementation_->ask_one(node, method, target, body, implementation_->end());
}
Reply Client::ask(const std::string& method, const std::string& target, const std::string& body) {
  return implementation_->ask(method, target, body);
}
const std::vector<net::Address>& Client::endpoints() const { return implementation_->endpoints(); }

}  // namespace raftlab::diskeyval
