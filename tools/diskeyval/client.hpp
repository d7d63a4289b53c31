#pragma once

#include "net/address.hpp"
#include "net/tls.hpp"
#include "tools/diskeyval/exit_code.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Asks a cluster over HTTP (docs/http-api.md), as people and scripts do. One thread.
namespace raftlab::diskeyval {

struct ClientOptions {
  std::vector<net::Address> endpoints;       ///< of nodes; at least one
  std::optional<net::TlsFiles> tls;          ///< none: plain
  std::chrono::milliseconds timeout{5'000};  ///< for an answer that decides, over all endpoints and attempts
};

struct Reply {
  unsigned status = 0;          ///< of HTTP; 0: nobody answered
  nlohmann::ordered_json body;  ///< null when it was no JSON
  std::string text;
  net::Address from;
  bool asked = false;  ///< somebody may have acted on it, whether or not this answer came from there
  std::string why;     ///< of nobody's answer: the last reason

  /// The request has been decided: done, or refused for a reason that another node, or a later moment, does not change.
  [[nodiscard]] bool decides() const { return status != 0 && status != 503 && status != 504; }
};

class Client {
 public:
  /// Reads the certificates.
  [[nodiscard]] static Result<std::unique_ptr<Client>> make(ClientOptions options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// One attempt at one node.
  [[nodiscard]] Reply ask_one(const net::Address& node, const std::string& method, const std::string& target,
                              const std::string& body);
  /// Asks one node after the other until one decides or the time is up; the last answer then. What is asked must be the same
  /// whether it is done once or again.
  [[nodiscard]] Reply ask(const std::string& method, const std::string& target, const std::string& body = "");

  [[nodiscard]] const std::vector<net::Address>& endpoints() const;

 private:
  class Implementation;
  explicit Client(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace raftlab::diskeyval
