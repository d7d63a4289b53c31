#pragma once

#include "tools/diskeyval/event_log.hpp"
#include "tools/diskeyval/exit_code.hpp"
#include "tools/diskeyval/settings.hpp"

#include <functional>
#include <memory>

namespace raftlab::diskeyval {

/// One node with its two ports, until it is told to end. One thread.
class Server {
 public:
  /// Reads the certificates, opens what is on disk, and listens.
  [[nodiscard]] static Result<std::unique_ptr<Server>> make(const Settings& settings, EventLog& log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Takes part until SIGTERM or SIGINT: then hands the leadership over, answers what is under way, and returns. A second
  /// signal ends it at once. SIGHUP: reads the certificates again. `io`: its disk has failed.
  [[nodiscard]] ExitCode run();

 private:
  class Implementation;
  explicit Server(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace raftlab::diskeyval
