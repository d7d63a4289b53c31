#pragma once

#include "net/identity.hpp"
#include "tools/diskeyval/bench_requests.hpp"
#include "tools/diskeyval/bench_work.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace raftlab::diskeyval {

/// Where clients go, resolved once so that no operation waits for a name.
struct BenchEndpoint {
  std::string name;  ///< "host:port"
  boost::asio::ip::tcp::resolver::results_type addresses;
};

/// What all clients share. It outlives them.
struct BenchShared {
  boost::asio::io_context* loop = nullptr;
  boost::asio::ssl::context* tls = nullptr;  ///< null: plain
  std::optional<net::ClusterId> cluster;  ///< whose node the other end has to be; none: whoever is verified
  std::vector<BenchEndpoint> endpoints;
  const BenchRequests* requests = nullptr;
  BenchWork* work = nullptr;
  std::chrono::milliseconds timeout{0};
};

/// One client: a connection that stays open, and one operation under way on it at a time. When the connection fails, it goes
/// on at the next endpoint; after an error it pauses a little, so that a cluster that refuses quickly is not asked ever
/// faster. It keeps itself alive while something is under way. The thread of the loop.
class BenchSession : public std::enable_shared_from_this<BenchSession> {
 public:
  BenchSession(BenchShared& shared, std::size_t endpoint);
  ~BenchSession();

  /// `ended` is called once, when there is nothing more to do.
  void start(std::function<void()> ended);
  /// To be called now and then: gives up what has been under way for too long.
  void check(std::chrono::steady_clock::time_point now);
  /// Gives up what is under way: an error of the kind "interrupted".
  void interrupt();

 private:
  struct Connection;

  void begin();
  void connect();
  void handshake();
  void write();
  void read();
  void answered();
  /// The connection is of no use any more.
  void lost(const char* kind, const boost::system::error_code& error);
  void failed(const std::string& kind, std::chrono::milliseconds pause);

  BenchShared& shared_;
  std::size_t endpoint_;
  boost::asio::steady_timer pause_;
  std::unique_ptr<Connection> connection_;
  std::optional<BenchOperation> operation_;
  std::string request_;
  const char* given_up_ = nullptr;  // why the operation that is under way was cut off
  std::function<void()> ended_;
};

}  // namespace raftlab::diskeyval
