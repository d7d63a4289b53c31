#include "tools/diskeyval/up_command.hpp"

#include "tools/diskeyval/certs_command.hpp"
#include "tools/diskeyval/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iomanip>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace raftlab::diskeyval {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds ready_longest{15};
constexpr const char* client_name = "me";

class Cluster {
 public:
  Cluster(const Up& options, fs::path program, std::ostream& out)
      : options_(options),
        program_(std::move(program)),
        out_(out),
        signals_(loop_, SIGINT, SIGTERM, SIGCHLD) {}

  std::optional<Failure> run() {
    if (auto failed = make_files()) return failed;
    for (std::uint32_t id = 1; id <= options_.nodes; ++id) {
      if (auto failed = start(id)) {
        end_all();
        return failed;
      }
    }
    watch();
    wait_until_ready();
    tell_how();
    loop_.run();
    return failure_;
  }

 private:
  [[nodiscard]] fs::path certs() const { return options_.directory / "certs"; }
  [[nodiscard]] fs::path file(std::uint32_t id, const char* end) const {
    return options_.directory / ("node" + std::to_string(id) + end);
  }
  [[nodiscard]] static std::string local(std::uint16_t first, std::uint32_t id) {
    return "127.0.0.1:" + std::to_string(first + id - 1);
  }

  /// Certificates, and how each node is set; what is there already stays as it is.
  std::optional<Failure> make_files() {
    std::error_code error;
    fs::create_directories(options_.directory, error);
    if (error) return Failure{ExitCode::io, options_.directory.string() + ": " + error.message()};
    std::ostringstream said;  // of interest to who makes them one by one
    if (!fs::exists(certs() / "ca.crt")) {
      CertsInit init;
      init.directory = certs();
      if (auto failed = init_certs(init, said)) return failed;
    }
    if (!fs::exists(certs() / ("admin-" + std::string(client_name) + ".crt"))) {
      CertsIssue client;
      client.directory = certs();
      client.name = client_name;
      client.admin = true;
      if (auto failed = issue_certs(client, said)) return failed;
    }
    for (std::uint32_t id = 1; id <= options_.nodes; ++id) {
      if (!fs::exists(certs() / ("node-" + std::to_string(id) + ".crt"))) {
        CertsIssue node;
        node.directory = certs();
        node.node = raft::NodeId(id);
        node.hosts = {"127.0.0.1", "localhost"};
        if (auto failed = issue_certs(node, said)) return failed;
      }
      if (fs::exists(file(id, ".toml"))) continue;
      std::ofstream(file(id, ".toml")) << settings_of(id);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string settings_of(std::uint32_t id) const {
    std::ostringstream text;
    const auto path = [&](const fs::path& of) { return fs::absolute(of).lexically_normal(); };
    text << "id = " << id << "\nlisten = \"" << local(options_.peer_port, id) << "\"\nhttp = \""
         << local(options_.http_port, id) << "\"\ndata = " << path(file(id, "")) << '\n';
    const std::string stem = "node-" + std::to_string(id);
    text << "cert = " << path(certs() / (stem + ".crt")) << "\nkey = " << path(certs() / (stem + ".key"))
         << "\nca = " << path(certs() / "ca.crt") << "\nlog = \"text\"\n";
    if (options_.nodes > 1) text << "\n[peers]\n";
    for (std::uint32_t other = 1; other <= options_.nodes; ++other) {
      if (other != id) text << "node" << other << " = \"" << local(options_.peer_port, other) << "\"\n";
    }
    text << "\n[apis]\n";
    for (std::uint32_t other = 1; other <= options_.nodes; ++other)
      text << "node" << other << " = \"https://" << local(options_.http_port, other) << "\"\n";
    return text.str();
  }

  /// What starts a node.
  [[nodiscard]] std::vector<std::string> words_of(std::uint32_t id) const {
    std::vector<std::string> words = {program_.string(), "serve", "--config", file(id, ".toml").string()};
    if (!options_.traces.empty()) words.push_back("--trace=" + options_.traces.string());
    return words;
  }

  std::optional<Failure> start(std::uint32_t id) {
    const std::string settings = file(id, ".toml").string();
    const std::string log = file(id, ".log").string();
    std::vector<std::string> words = words_of(id);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                       0644);
    ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    // A process group of its own: Ctrl-C is for us, and we end the nodes in good order.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    pid_t process = 0;
    const int error =
        ::posix_spawn(&process, program_.c_str(), &actions, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
      return Failure{ExitCode::io, program_.string() + ": " + std::generic_category().message(error)};
    processes_[process] = id;
    out_ << "node " << id << "   pid " << std::left << std::setw(8) << process << "https://"
         << local(options_.http_port, id) << "   " << settings << ", " << log << '\n';
    return std::nullopt;
  }

  void wait_until_ready() {
    ClientOptions options;
    for (std::uint32_t id = 1; id <= options_.nodes; ++id)
      options.endpoints.push_back(*net::parse_address(local(options_.http_port, id)));
    options.tls.emplace();
    options.tls->certificate = certs() / ("admin-" + std::string(client_name) + ".crt");
    options.tls->key = certs() / ("admin-" + std::string(client_name) + ".key");
    options.tls->authorities = certs() / "ca.crt";
    options.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(ready_longest);
    const auto client = Client::make(std::move(options));
    if (failure(client) != nullptr) return;
    const Reply reply = std::get<std::unique_ptr<Client>>(client)->ask("GET", "/readyz");
    loop_.poll();  // a node that has ended is told of now
    if (reply.status == 200) {
      out_ << "ready\n";
    } else {
      out_ << "not ready after " << ready_longest.count() << " seconds; the logs say why\n";
    }
  }

  void tell_how() {
    std::string endpoints;
    for (std::uint32_t id = 1; id <= options_.nodes; ++id)
      endpoints += (id == 1 ? "" : ",") + local(options_.http_port, id);
    const std::string certificate = (certs() / ("admin-" + std::string(client_name))).string();
    out_ << "\nIn another terminal:\n\n  export DISKEYVAL_ENDPOINTS=" << endpoints
         << "\n  export DISKEYVAL_CERT=" << certificate << ".crt\n  " << program_.string()
         << " put color green\n  " << program_.string() << " get color\n  " << program_.string()
         << " status\n\nor\n\n  curl --cacert " << (certs() / "ca.crt").string() << " --cert " << certificate
         << ".crt --key " << certificate << ".key \\\n       https://" << local(options_.http_port, 1)
         << "/kv/color\n\nCtrl-C ends all of them; the next `up` goes on with what they have.\n"
         << std::flush;
  }

  void watch() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal != SIGCHLD) return end_all();
      collect();
      if (!processes_.empty()) return watch();
      out_ << "no node is left\n";
      failure_ = Failure{ExitCode::unavailable, "all nodes have ended by themselves; their logs say why"};
    });
  }

  void collect() {
    int how = 0;
    for (pid_t process = 0; (process = ::waitpid(-1, &how, WNOHANG)) > 0;) {
      const auto at = processes_.find(process);
      if (at == processes_.end()) continue;
      out_ << "node " << at->second << " has ended (";
      if (WIFSIGNALED(how)) {
        out_ << "signal " << WTERMSIG(how);
      } else {
        out_ << "exit code " << WEXITSTATUS(how);
      }
      out_ << "); again:";
      for (const std::string& word : words_of(at->second)) out_ << ' ' << word;
      out_ << std::endl;
      processes_.erase(at);
    }
  }

  /// All of them at once: there is nobody left to hand a leadership over to for long.
  void end_all() {
    for (const auto& [process, id] : processes_) ::kill(process, SIGTERM);
    for (const auto& [process, id] : processes_) {
      while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {  // each node that ends is a signal
      }
    }
    processes_.clear();
  }

  const Up& options_;
  fs::path program_;
  std::ostream& out_;
  asio::io_context loop_{1};
  asio::signal_set signals_;
  std::map<pid_t, std::uint32_t> processes_;
  std::optional<Failure> failure_;
};

}  // namespace

std::optional<Failure> up(const Up& options, const fs::path& program, std::ostream& out) {
  return Cluster(options, program, out).run();
}

}  // namespace raftlab::diskeyval
