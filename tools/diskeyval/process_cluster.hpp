#pragma once

#include "net/address.hpp"
#include "net/certificates.hpp"
#include "tools/diskeyval/certs_command.hpp"
#include "tools/diskeyval/client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// Nodes as processes of their own, for tests: `diskeyval serve`, as an operator starts it.
namespace raftlab::diskeyval::test {

namespace fs = std::filesystem;

class ProcessCluster {
 public:
  explicit ProcessCluster(std::uint32_t nodes) : nodes_(nodes) {
    std::string name = (fs::temp_directory_path() / "diskeyval-cluster-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch directory");
    directory_ = name;
    std::ostringstream said;
    CertsInit init;
    init.directory = directory_;
    init.days = 1;
    must(init_certs(init, said));
    for (std::uint32_t id = 1; id <= nodes; ++id) {
      CertsIssue node;
      node.directory = directory_;
      node.node = raft::NodeId(id);
      must(issue_certs(node, said));
      peer_ports_.push_back(free_port());
      http_ports_.push_back(free_port());
    }
    CertsIssue client;
    client.directory = directory_;
    client.name = "test";
    client.admin = true;
    must(issue_certs(client, said));
    for (std::uint32_t id = 1; id <= nodes; ++id) start(id);
  }
  ProcessCluster(const ProcessCluster&) = delete;
  ProcessCluster& operator=(const ProcessCluster&) = delete;
  ~ProcessCluster() {
    for (const auto& [id, process] : processes_) ::kill(process, SIGKILL);
    for (const auto& [id, process] : processes_) ::waitpid(process, nullptr, 0);
    fs::remove_all(directory_);
  }

  void start(std::uint32_t id) {
    std::string peers;
    for (std::uint32_t other = 1; other <= nodes_; ++other) {
      if (other != id)
        peers +=
            (peers.empty() ? "node" : ",node") + std::to_string(other) + '=' + local(peer_ports_[other - 1]);
    }
    const std::string stem = (directory_ / ("node-" + std::to_string(id))).string();
    std::vector<std::string> words = {program().string(),
                                      "serve",
                                      "--listen=" + local(peer_ports_[id - 1]),
                                      "--http=" + local(http_ports_[id - 1]),
                                      "--data=" + data(id).string(),
                                      "--cert=" + stem + ".crt",
                                      "--key=" + stem + ".key",
                                      "--ca=" + (directory_ / "ca.crt").string(),
                                      "--trace=" + traces().string(),
                                      "--compact-every=2000"};
    if (!peers.empty()) words.push_back("--peers=" + peers);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log(id).c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0644);
    pid_t process = 0;
    const int error =
        ::posix_spawn(&process, program().c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("cannot start " + program().string());
    processes_[id] = process;
    ++lives_;
  }

  void signal(std::uint32_t id, int number) { ::kill(processes_.at(id), number); }
  /// Kills the node; nothing of it runs any more afterwards.
  void kill(std::uint32_t id) {
    signal(id, SIGKILL);
    ::waitpid(processes_.at(id), nullptr, 0);
    processes_.erase(id);
  }
  /// Asks the node to end, and returns its exit code; -1 when a signal ended it.
  int end(std::uint32_t id) {
    signal(id, SIGTERM);
    int how = 0;
    ::waitpid(processes_.at(id), &how, 0);
    processes_.erase(id);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
  }

  /// Nothing runs any more.
  void kill_all() {
    while (!processes_.empty()) kill(processes_.begin()->first);
  }
  /// How often a node was started.
  [[nodiscard]] std::size_t lives() const { return lives_; }
  [[nodiscard]] fs::path data(std::uint32_t id) const { return directory_ / ("data" + std::to_string(id)); }
  /// Where all of them write down what they do.
  [[nodiscard]] fs::path traces() const { return directory_ / "traces"; }

  [[nodiscard]] std::unique_ptr<Client> client(
      std::chrono::milliseconds timeout = std::chrono::seconds(20)) const {
    ClientOptions options;
    for (const std::uint16_t port : http_ports_)
      options.endpoints.push_back(*net::parse_address(local(port)));
    options.timeout = timeout;
    net::TlsFiles files;
    files.certificate = directory_ / "admin-test.crt";
    files.key = directory_ / "admin-test.key";
    files.authorities = directory_ / "ca.crt";
    options.tls = files;
    auto made = Client::make(std::move(options));
    if (const Failure* failed = failure(made)) throw std::runtime_error(failed->message);
    return std::get<std::unique_ptr<Client>>(std::move(made));
  }
  [[nodiscard]] net::Address endpoint(std::uint32_t id) const {
    return *net::parse_address(local(http_ports_[id - 1]));
  }

  /// Who leads, as one of those says that run; 0: nobody.
  [[nodiscard]] std::uint32_t leader() const {
    const auto asking = client(std::chrono::milliseconds(1000));
    for (const auto& [id, process] : processes_) {
      const Reply reply = asking->ask_one(endpoint(id), "GET", "/status", "");
      if (reply.status != 200 || reply.body.at("leader").is_null()) continue;
      const auto leads = reply.body.at("leader").get<std::uint32_t>();
      if (processes_.contains(leads)) return leads;
    }
    return 0;
  }

  /// What a node has said, for a test that fails.
  [[nodiscard]] std::string said(std::uint32_t id) const {
    std::ifstream in(log(id));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] const fs::path& directory() const { return directory_; }

 private:
  static void must(const std::optional<Failure>& failed) {
    if (failed) throw std::runtime_error(failed->message);
  }
  static fs::path program() { return fs::read_symlink("/proc/self/exe").parent_path() / "diskeyval"; }
  static std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
  [[nodiscard]] std::string log(std::uint32_t id) const {
    return (directory_ / ("log" + std::to_string(id))).string();
  }

  /// None of those that the system gives to whoever asks for any, and others for each process that runs beside this one: it
  /// stays free while a node is down.
  static std::uint16_t free_port() {
    static std::uint16_t last = static_cast<std::uint16_t>(2'000 + ::getpid() % 40 * 200);
    for (;;) {
      ++last;
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(last);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
      ::close(socket);
      if (bound) return last;
    }
  }

  std::uint32_t nodes_;
  fs::path directory_;
  std::vector<std::uint16_t> peer_ports_;
  std::vector<std::uint16_t> http_ports_;
  std::map<std::uint32_t, pid_t> processes_;
  std::size_t lives_ = 0;
};

}  // namespace raftlab::diskeyval::test
