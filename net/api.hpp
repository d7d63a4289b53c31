#pragma once

#include "net/host.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The HTTP API (docs/http-api.md) without HTTP: what a request means, and what its answer says.
namespace raftlab::net {

/// What a client may do, as its certificate says.
enum class ApiRole : std::uint8_t {
  none,    ///< health only
  client,  ///< keys, sessions, status
  admin,   ///< everything
};

struct ApiRequest {
  std::string method;
  std::string target;  ///< path and query, as they came
  std::string body;
  ApiRole role = ApiRole::none;
};

struct ApiReply {
  unsigned status = 200;
  std::string body;  ///< JSON, one line
  std::vector<std::pair<std::string, std::string>> headers;
};

struct ApiOptions {
  std::chrono::milliseconds timeout{5000};  ///< of requests that say nothing else
  std::chrono::milliseconds timeout_max{60'000};
  /// The address of a member's API ("https://host:port"), from what this node was configured with; none: not known.
  std::function<std::optional<std::string>(raft::NodeId)> address;
};

/// One thread, that of the host, which must outlive the API and everything that it has begun.
class Api {
 public:
  using Reply = std::function<void(ApiReply)>;

  Api(Host& host, ApiOptions options) : host_(&host), options_(std::move(options)) {}

  /// Answers exactly once, here and now or later.
  void handle(const ApiRequest& request, Reply reply);

 private:
  struct Route;
  struct Call;
  static const std::vector<Route>& routes();

  void keys(Call& call, Wish wish);
  void get_key(Call& call);
  void put_key(Call& call);
  void delete_key(Call& call);
  void cas(Call& call);
  void mput(Call& call);
  void mget(Call& call);
  void open_session(Call& call);
  void status(Call& call);
  void health(Call& call);
  void ready(Call& call);
  void reconfigure(Call& call);
  void transfer(Call& call);
  void snapshot(Call& call);
  void read_policy(Call& call);

  Host* host_;
  ApiOptions options_;
};

}  // namespace raftlab::net
