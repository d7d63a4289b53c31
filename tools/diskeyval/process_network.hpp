#pragma once

#include "tools/diskeyval/process.hpp"
#include "tools/diskeyval/process_cluster.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Nodes on hosts of their own, as far as the network goes, and cuts between them.
namespace raftlab::diskeyval::test {

/// A network namespace without a name: it is gone with the last process and descriptor that is in it, however these end.
class NetworkNamespace {
 public:
  /// That of the calling thread.
  [[nodiscard]] static NetworkNamespace present() {
    return NetworkNamespace(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  }
  /// A new one; the calling thread is in it then.
  [[nodiscard]] static NetworkNamespace make() {
    if (::unshare(CLONE_NEWNET) != 0)
      throw std::runtime_error(std::string("unshare: ") + std::strerror(errno));
    return present();
  }
  NetworkNamespace(NetworkNamespace&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  NetworkNamespace& operator=(NetworkNamespace&&) = delete;
  ~NetworkNamespace() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Moves the calling thread into it. Threads and processes that it starts from then on are there as well.
  void enter() const {
    if (::setns(descriptor_, CLONE_NEWNET) != 0)
      throw std::runtime_error(std::string("setns: ") + std::strerror(errno));
  }
  /// For who cannot be told of a failure.
  bool try_enter() const noexcept { return ::setns(descriptor_, CLONE_NEWNET) == 0; }
  /// As other programs name it, for as long as this process lives.
  [[nodiscard]] std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_);
  }

 private:
  explicit NetworkNamespace(int descriptor) : descriptor_(descriptor) {
    if (descriptor < 0) throw std::runtime_error(std::string("no namespace: ") + std::strerror(errno));
  }

  int descriptor_;
};

/// One namespace for each node, `10.77.0.<id>`, all of them on a bridge in one more, where the thread that makes it is until
/// this ends: with the clients that it starts it reaches every node, whatever is cut between them.
class ProcessNetwork {
 public:
  using Cut =
      std::pair<std::uint32_t, std::uint32_t>;  ///< from, to: what the first one sends does not arrive

  /// Why there cannot be one here; empty: there can.
  static std::string obstacle() {
    for (const std::string& program : {ip(), nft()}) {
      if (program.empty()) return "the programs ip (iproute2) and nft (nftables) are needed";
    }
    try {
      const ProcessNetwork network(1);
      network.heal();
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  explicit ProcessNetwork(std::uint32_t nodes) : home_(NetworkNamespace::present()) {
    const GoHome go_home{home_};
    for (std::uint32_t id = 1; id <= nodes; ++id) hosts_.push_back(NetworkNamespace::make());
    hub_.emplace(NetworkNamespace::make());
    command(ip(), "link set lo up");
    command(ip(), "link add hub type bridge");
    command(ip(), "link set hub up");
    command(ip(), "addr add 10.77.0.254/24 dev hub");
    for (std::uint32_t id = 1; id <= nodes; ++id) {
      const std::string port = "to-node" + std::to_string(id);
      command(ip(), "link add " + port + " type veth peer name eth0 netns " + hosts_[id - 1].path());
      command(ip(), "link set " + port + " master hub up");
    }
    // What the bridge carries from one port to another are the links between nodes, and nothing else.
    for (const char* part :
         {"add table bridge faults", "add counter bridge faults dropped",
          "add set bridge faults cut { type ipv4_addr . ipv4_addr; }",
          "add chain bridge faults between { type filter hook forward priority 0; policy accept; }",
          "add rule bridge faults between ip saddr . ip daddr @cut counter name dropped drop"})
      run(nft(), {part});
    for (std::uint32_t id = 1; id <= nodes; ++id) {
      hosts_[id - 1].enter();
      command(ip(), "link set lo up");
      command(ip(), "addr add " + address(id) + "/24 dev eth0");
      command(ip(), "link set eth0 up");
    }
    hub_->enter();
    go_home.stay = true;
  }
  ProcessNetwork(const ProcessNetwork&) = delete;
  ProcessNetwork& operator=(const ProcessNetwork&) = delete;
  ~ProcessNetwork() { home_.enter(); }

  [[nodiscard]] static std::string address(std::uint32_t id) { return "10.77.0." + std::to_string(id); }

  /// Starts a process on the host of a node.
  [[nodiscard]] pid_t launch_at(std::uint32_t id, const Launch& what) const {
    hosts_[id - 1].enter();
    const pid_t process = launch(what);
    hub_->enter();
    return process;
  }

  /// These cuts instead of all that there were, at one moment.
  void cut(const std::vector<Cut>& cuts) const {
    std::string elements;
    for (const auto& [from, to] : cuts)
      elements += (elements.empty() ? "" : ", ") + address(from) + " . " + address(to);
    const std::string add = elements.empty() ? "" : "; add element bridge faults cut { " + elements + " }";
    run(nft(), {"flush set bridge faults cut" + add});
  }
  void heal() const { cut({}); }

  /// Packets that cuts have kept from arriving, so far.
  [[nodiscard]] std::uint64_t dropped() const {
    const std::string said = run(nft(), {"list counter bridge faults dropped"});
    const std::string label = "packets ";
    const std::size_t at = said.find(label);
    if (at == std::string::npos) throw std::runtime_error("nft: no counter in " + said);
    return std::stoull(said.substr(at + label.size()));
  }

  /// Whatever goes between the nodes of two groups, in both directions.
  static std::vector<Cut> between(const std::vector<std::uint32_t>& some,
                                  const std::vector<std::uint32_t>& others) {
    std::vector<Cut> cuts = one_way(some, others);
    for (const Cut& back : one_way(others, some)) cuts.push_back(back);
    return cuts;
  }
  static std::vector<Cut> one_way(const std::vector<std::uint32_t>& from,
                                  const std::vector<std::uint32_t>& to) {
    std::vector<Cut> cuts;
    for (const std::uint32_t one : from) {
      for (const std::uint32_t other : to) cuts.emplace_back(one, other);
    }
    return cuts;
  }

 private:
  /// A constructor that throws has no destructor to bring the thread back.
  struct GoHome {
    const NetworkNamespace& home;
    mutable bool stay = false;
    ~GoHome() {
      // Who may not make a namespace may not enter one either, and has not left home.
      if (!stay) static_cast<void>(home.try_enter());
    }
  };

  static std::string found(const char* name) {
    for (const char* directory : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"}) {
      if (fs::exists(std::string(directory) + name)) return std::string(directory) + name;
    }
    return "";
  }
  static std::string ip() { return found("ip"); }
  static std::string nft() { return found("nft"); }

  static void command(const std::string& program, const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(' ', begin), text.size());
      words.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    run(program, words);
  }

  const NetworkNamespace home_;
  std::vector<NetworkNamespace> hosts_;
  std::optional<NetworkNamespace> hub_;
};

}  // namespace raftlab::diskeyval::test
