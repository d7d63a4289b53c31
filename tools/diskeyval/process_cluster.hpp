#pragma once

#include "net/address.hpp"
#include "net/certificates.hpp"
#include "tools/diskeyval/certs_command.hpp"
#include "tools/diskeyval/client.hpp"
#include "tools/diskeyval/process.hpp"
#include "tools/diskeyval/process_port.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// Nodes as processes of their own, for tests: `diskeyval serve`, as an operator starts it.
namespace raftlab::diskeyval::test {

namespace fs = std::filesystem;

struct ClusterOptions {
  std::uint32_t nodes = 3;   ///< the first members
  std::uint32_t spares = 0;  ///< behind them in number, with certificates; they join when they are started
  std::uint64_t compact_every = 2000;  ///< entries between two snapshots
  bool memory = false;                 ///< nodes that keep nothing
  std::vector<std::string> flags;      ///< of each node, beside those that it needs
  /// Where a node listens, without the port.
  std::function<std::string(std::uint32_t id)> host = [](std::uint32_t /*id*/) { return "127.0.0.1"; };
  /// Starts a node; a test may put it somewhere, or something before it.
  std::function<pid_t(std::uint32_t id, Launch what)> launch = [](std::uint32_t /*id*/, const Launch& what) {
    return test::launch(what);
  };
};

class ProcessCluster {
 public:
  explicit ProcessCluster(std::uint32_t nodes) : ProcessCluster(ClusterOptions{.nodes = nodes}) {}
  explicit ProcessCluster(ClusterOptions options) : nodes_(options.nodes), options_(std::move(options)) {
    std::string name = (fs::temp_directory_path() / "diskeyval-cluster-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch directory");
    directory_ = name;
    CertsInit init;
    init.days = 1;
    make_certificates(directory_, init);
    for (std::uint32_t id = 1; id <= nodes_ + options_.spares; ++id) {
      peer_ports_.emplace_back();
      http_ports_.emplace_back();
    }
    for (std::uint32_t id = 1; id <= nodes_; ++id) start(id);
  }
  ProcessCluster(const ProcessCluster&) = delete;
  ProcessCluster& operator=(const ProcessCluster&) = delete;
  ~ProcessCluster() {
    for (const auto& [id, process] : processes_) ::kill(process, SIGKILL);
    for (const auto& [id, process] : processes_) ::waitpid(process, nullptr, 0);
    fs::remove_all(directory_);
  }

  /// An authority, and certificates of all nodes and of a client, for as many days as the authority has.
  void make_certificates(const fs::path& directory, CertsInit init) const {
    std::ostringstream said;
    init.directory = directory;
    must(init_certs(init, said));
    for (std::uint32_t id = 1; id <= nodes_ + options_.spares; ++id) {
      CertsIssue node;
      node.directory = directory;
      node.node = raft::NodeId(id);
      node.days = init.days;
      must(issue_certs(node, said));
    }
    CertsIssue client;
    client.directory = directory;
    client.name = "test";
    client.admin = true;
    client.days = init.days;
    must(issue_certs(client, said));
  }

  void start(std::uint32_t id) {
    std::string peers;
    for (std::uint32_t other = 1; other <= nodes_; ++other) {
      if (other != id)
        peers += (peers.empty() ? "node" : ",node") + std::to_string(other) + '=' + peer_address(other);
    }
    const std::string stem = (directory_ / ("node-" + std::to_string(id))).string();
    std::vector<std::string> words = {program().string(),
                                      "serve",
                                      "--listen=" + peer_address(id),
                                      "--http=" + net::text_of(endpoint(id)),
                                      options_.memory ? "--memory" : "--data=" + data(id).string(),
                                      "--cert=" + stem + ".crt",
                                      "--key=" + stem + ".key",
                                      "--ca=" + (directory_ / "ca.crt").string(),
                                      "--trace=" + traces().string(),
                                      "--compact-every=" + std::to_string(options_.compact_every)};
    if (!peers.empty()) words.push_back("--peers=" + peers);
    if (id > nodes_) words.emplace_back("--join");
    words.insert(words.end(), options_.flags.begin(), options_.flags.end());
    Launch what;
    what.words = std::move(words);
    what.errors = log(id);
    processes_[id] = options_.launch(id, std::move(what));
    ++lives_;
  }

  void signal(std::uint32_t id, int number) { ::kill(processes_.at(id), number); }
  /// Kills the node; nothing of it runs any more afterwards. Throws when it had ended by itself: then this was no fault.
  void kill(std::uint32_t id) {
    signal(id, SIGKILL);
    const std::optional<int> how = ended(id);
    if (how != -SIGKILL)
      throw std::runtime_error("node " + std::to_string(id) + " was not there to be killed");
  }
  /// Asks the node to end, and returns its exit code; -1 when it does not end.
  int end(std::uint32_t id) {
    signal(id, SIGTERM);
    return ended(id).value_or(-1);
  }
  /// How a node ended that ends by itself: its exit code, or minus the signal. None: it goes on and on.
  std::optional<int> ended(std::uint32_t id, std::chrono::seconds longest = std::chrono::seconds(60)) {
    const std::optional<int> how = wait_for_end(processes_.at(id), longest);
    if (how) processes_.erase(id);
    return how;
  }

  /// Nothing runs any more.
  void kill_all() {
    while (!processes_.empty()) kill(processes_.begin()->first);
  }
  /// How often a node was started.
  [[nodiscard]] std::size_t lives() const { return lives_; }
  /// Where all of them write down what they do.
  [[nodiscard]] fs::path traces() const { return directory_ / "traces"; }

  /// `first`: whom it asks first. `certificates`: where its own are; empty: where those of the nodes are.
  [[nodiscard]] std::unique_ptr<Client> client(std::chrono::milliseconds timeout = std::chrono::seconds(20),
                                               std::uint32_t first = 1,
                                               const fs::path& certificates = {}) const {
    ClientOptions options;
    const std::uint32_t all = nodes_ + options_.spares;
    for (std::uint32_t i = 0; i < all; ++i) options.endpoints.push_back(endpoint((first - 1 + i) % all + 1));
    options.timeout = timeout;
    net::TlsFiles files;
    const fs::path& own = certificates.empty() ? directory_ : certificates;
    files.certificate = own / "admin-test.crt";
    files.key = own / "admin-test.key";
    files.authorities = directory_ / "ca.crt";
    options.tls = files;
    auto made = Client::make(std::move(options));
    if (const Failure* failed = failure(made)) throw std::runtime_error(failed->message);
    return std::get<std::unique_ptr<Client>>(std::move(made));
  }
  [[nodiscard]] net::Address endpoint(std::uint32_t id) const {
    return net::Address{options_.host(id), http_ports_[id - 1].number()};
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
  /// Where a node keeps its log and its snapshots.
  [[nodiscard]] fs::path data(std::uint32_t id) const { return directory_ / ("data" + std::to_string(id)); }
  [[nodiscard]] std::uint32_t nodes() const { return nodes_; }
  /// Under which peers reach a node.
  [[nodiscard]] std::string peer_address(std::uint32_t id) const {
    return net::text_of(net::Address{options_.host(id), peer_ports_[id - 1].number()});
  }
  static fs::path program() { return fs::read_symlink("/proc/self/exe").parent_path() / "diskeyval"; }

 private:
  static void must(const std::optional<Failure>& failed) {
    if (failed) throw std::runtime_error(failed->message);
  }
  [[nodiscard]] std::string log(std::uint32_t id) const {
    return (directory_ / ("log" + std::to_string(id))).string();
  }

  std::uint32_t nodes_;
  ClusterOptions options_;
  fs::path directory_;
  std::vector<ReservedPort> peer_ports_;
  std::vector<ReservedPort> http_ports_;
  std::map<std::uint32_t, pid_t> processes_;
  std::size_t lives_ = 0;
};

}  // namespace raftlab::diskeyval::test
