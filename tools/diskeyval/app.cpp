#include "tools/diskeyval/app.hpp"

#include "tools/diskeyval/bench_command.hpp"
#include "tools/diskeyval/certs_command.hpp"
#include "tools/diskeyval/client.hpp"
#include "tools/diskeyval/event_log.hpp"
#include "tools/diskeyval/exit_code.hpp"
#include "tools/diskeyval/key_commands.hpp"
#include "tools/diskeyval/server.hpp"
#include "tools/diskeyval/settings.hpp"
#include "tools/diskeyval/up_command.hpp"
#include "tools/version/version.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace raftlab::diskeyval {
namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 done, 1 refused by the cluster, 2 uncertain whether a write took place, 64 usage, 65 bad "
    "file,\n69 nobody answered, 70 internal error of diskeyval, 74 input, output or a disk failed.";

/// What stands in for a flag that was not given; "": nothing. (CLI11 knows variables as well, but sets the flags of all
/// subcommands from them, also of those that are not meant; and here all of them mean one thing.)
std::string from_environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no thread changes it
  return value == nullptr ? "" : value;
}

std::string usage(const std::string& what) { return what + " (see diskeyval --help)"; }

class App {
 public:
  App() {
    app_.name("diskeyval");
    app_.description("A replicated key/value store: linearizable, on Raft, over mutual TLS.");
    app_.footer(exit_codes);
    app_.set_version_flag("--version", "diskeyval " + version::line(),
                          "Version, commit, compiler, build type");
    app_.set_help_flag("-h,--help", "This text");
    app_.require_subcommand(1);
    app_.failure_message(CLI::FailureMessage::simple);
    add_serve();
    add_up();
    add_certs();
    add_keys();
    add_operator();
    add_bench();
  }

  int run(int count, const char* const* arguments) {
    if (count <= 1) {
      std::cerr << app_.help();
      return tell({ExitCode::usage, usage("a subcommand is missing")});
    }
    // CLI11 would only say that a subcommand is required.
    const std::string_view first = arguments[1];
    const auto is_first = [&](const CLI::App* command) { return command->get_name() == first; };
    if (!first.starts_with('-') && app_.get_subcommands(is_first).empty())
      return tell({ExitCode::usage, usage("'" + std::string(first) + "' is no subcommand")});
    try {
      app_.parse(count, arguments);
    } catch (const CLI::Success& success) {
      return app_.exit(success);
    } catch (const CLI::ParseError& error) {
      return tell({ExitCode::usage, usage(error.what())});
    }
    try {
      return chosen_();
    } catch (const std::exception& error) {
      return tell({ExitCode::internal, error.what()});
    }
  }

 private:
  static int tell(const Failure& failure) {
    std::cerr << "diskeyval: " << failure.message << '\n';
    return static_cast<int>(failure.code);
  }
  static int ended(const std::optional<Failure>& failure) {
    if (failure) return tell(*failure);
    std::cout.flush();
    if (!std::cout) return tell({ExitCode::io, "stdout: cannot be written"});
    return static_cast<int>(ExitCode::ok);
  }

  void add_serve() {
    CLI::App* serve = app_.add_subcommand("serve", "Run one node until SIGTERM or SIGINT");
    serve->footer(
        "A file holds the same under the same names, with _ for -, in TOML:\n"
        "    listen = \"0.0.0.0:8050\"\n    peers = { node2 = \"10.0.0.2:8050\" }\n"
        "A flag counts more than the file. SIGHUP: the certificates are read again.");
    serve->add_option("--config", config_, "A file of settings")->type_name("FILE");
    for (const Setting& setting : all_settings()) {
      if (setting.flag) {
        serve->add_flag(flag_of(setting), switched_[&setting], std::string(setting.help));
      } else {
        serve->add_option(flag_of(setting), given_[&setting], std::string(setting.help))
            ->type_name(std::string(setting.value));
      }
    }
    serve->callback([this] { chosen_ = [this] { return run_node(); }; });
  }

  int run_node() {
    Settings settings;
    if (!config_.empty()) {
      if (const auto failed = read_settings(config_, settings)) return tell(*failed);
    }
    for (const Setting& setting : all_settings()) {
      std::optional<std::string> text = given_[&setting];
      if (switched_[&setting]) text = "true";
      if (!text) continue;
      if (const auto expected = setting.set(settings, *text))
        return tell({ExitCode::usage, flag_of(setting) + " " + *text + ": " + *expected + " was expected"});
    }
    if (const auto failed = objection_to(settings)) return tell(*failed);
    EventLog log(settings.log);
    const auto made = Server::make(settings, log);
    if (const Failure* failed = failure(made)) return tell(*failed);
    return static_cast<int>(std::get<std::unique_ptr<Server>>(made)->run());
  }

  void add_up() {
    CLI::App* up = app_.add_subcommand("up", "Start a cluster on this machine, to try things out");
    up->add_option("--nodes", up_.nodes, "How many (default 3)")
        ->type_name("N")
        ->check(CLI::Range(1U, up_nodes_max));
    up->add_option("--dir", up_.directory, "Where everything is kept (default diskeyval-cluster)")
        ->type_name("DIR");
    up->add_option("--peer-port", up_.peer_port, "Of the first node; the others follow (default 8051)")
        ->type_name("PORT")
        ->check(CLI::Range(1, 65'500));
    up->add_option("--http-port", up_.http_port, "Likewise, for clients (default 8081)")
        ->type_name("PORT")
        ->check(CLI::Range(1, 65'500));
    up->add_option("--trace", up_.traces,
                   "Let the nodes write down there what each step does, for raftlab audit")
        ->type_name("DIR");
    up->callback([this] {
      chosen_ = [this] {
        return ended(diskeyval::up(up_, std::filesystem::read_symlink("/proc/self/exe"), std::cout));
      };
    });
  }

  void add_certs() {
    CLI::App* certs =
        app_.add_subcommand("certs", "The cluster's authority, and certificates of nodes and clients");
    certs->require_subcommand(1);
    const auto add_directory = [](CLI::App* command, std::filesystem::path& directory) {
      command->add_option("--dir", directory, "Where they are (default: certs)")->type_name("DIR");
    };

    CLI::App* init = certs->add_subcommand("init", "Make the authority of a new cluster");
    add_directory(init, init_.directory);
    init->add_option("--cluster", cluster_, "The cluster's number in hexadecimal (default: a random one)")
        ->type_name("HEX");
    init->add_option("--days", init_.days, "How long it is valid (default 3650)")->type_name("N");
    init->callback([this] { chosen_ = [this] { return init_certs(); }; });

    CLI::App* issue = certs->add_subcommand("issue", "Make a certificate for a node, or for a client");
    add_directory(issue, issue_.directory);
    auto* node = issue->add_option("--node", node_, "The number of a node")->type_name("N");
    issue->add_option("--host", issue_.hosts, "An address or DNS name of the node; again for each one")
        ->type_name("HOST")
        ->needs(node);
    auto* name =
        issue->add_option("--name", issue_.name, "The name of a client")->type_name("NAME")->excludes(node);
    issue->add_flag("--admin", issue_.admin, "The client may also change the cluster")->needs(name);
    issue->add_option("--days", issue_.days, "How long it is valid (default 365)")->type_name("N");
    issue->callback([this] { chosen_ = [this] { return issue_one(); }; });

    CLI::App* revoke = certs->add_subcommand("revoke", "Add certificates to the list of what is revoked");
    add_directory(revoke, revoke_.directory);
    revoke->add_option("FILE", revoke_.certificates, "Certificates; none: the list is renewed");
    revoke->add_option("--days", revoke_.days, "When the next list is due (default 30)")->type_name("N");
    revoke->callback([this] { chosen_ = [this] { return ended(revoke_certs(revoke_, std::cout)); }; });

    CLI::App* show = certs->add_subcommand("show", "Tell what is in certificates");
    show->add_option("FILE", show_.files, "Certificates (PEM)")->required();
    show->callback([this] { chosen_ = [this] { return ended(show_certs(show_, std::cout)); }; });
  }

  int init_certs() {
    if (!cluster_.empty()) {
      std::uint64_t number = 0;
      const char* const end = cluster_.data() + cluster_.size();
      if (const auto read = std::from_chars(cluster_.data(), end, number, 16);
          read.ec != std::errc() || read.ptr != end)
        return tell(
            {ExitCode::usage, "--cluster " + cluster_ + ": 1 to 16 hexadecimal digits were expected"});
      init_.cluster = number;
    }
    return ended(diskeyval::init_certs(init_, std::cout));
  }

  int issue_one() {
    if (node_) {
      if (*node_ < 1) return tell({ExitCode::usage, "--node: a number of 1 or more was expected"});
      issue_.node = raft::NodeId(*node_);
    } else if (issue_.name.empty()) {
      return tell({ExitCode::usage, "--node N or --name NAME: one of them was expected"});
    }
    return ended(issue_certs(issue_, std::cout));
  }

  // ---- Clients -------------------------------------------------------------------------------------------------

  /// What a command needs to reach a cluster.
  void add_client_flags(CLI::App* command) {
    command
        ->add_option("--endpoints", endpoints_,
                     "Nodes to ask, one after the other (default $DISKEYVAL_ENDPOINTS, or 127.0.0.1:8080)")
        ->type_name("HOST:PORT,...");
    command
        ->add_option("--cert", cert_,
                     "The client's certificate, with its key and ca.crt beside it (default $DISKEYVAL_CERT)")
        ->type_name("FILE");
    command->add_option("--key", key_, "The key, if it is elsewhere")->type_name("FILE");
    command->add_option("--ca", ca_, "The authority, if it is elsewhere")->type_name("FILE");
    command->add_flag("--plain", plain_, "Without TLS");
    command->add_option("--timeout", timeout_ms_, "Milliseconds for an answer that decides (default 5000)")
        ->type_name("MS")
        ->check(CLI::Range(1U, 3'600'000U));
  }

  Result<ClientOptions> client_options() const {
    ClientOptions options;
    options.timeout = std::chrono::milliseconds(timeout_ms_);
    const bool given = !endpoints_.empty();
    std::string list = given ? endpoints_ : from_environment("DISKEYVAL_ENDPOINTS");
    if (list.empty()) list = "127.0.0.1:8080";
    for (const std::string& text : CLI::detail::split(list, ',')) {
      const auto address = net::parse_address(text);
      if (!address) {
        return Failure{ExitCode::usage,
                       (given ? "--endpoints " : "DISKEYVAL_ENDPOINTS ") + text + ": host:port was expected"};
      }
      options.endpoints.push_back(*address);
    }
    if (plain_) return options;
    const std::string cert = cert_.empty() ? from_environment("DISKEYVAL_CERT") : cert_;
    if (cert.empty()) {
      return Failure{ExitCode::usage,
                     "--cert: is missing (diskeyval certs issue --name makes one; or --plain)"};
    }
    net::TlsFiles files;
    files.certificate = cert;
    files.key =
        key_.empty() ? std::filesystem::path(cert).replace_extension(".key") : std::filesystem::path(key_);
    files.authorities = ca_.empty() ? files.certificate.parent_path() / "ca.crt" : std::filesystem::path(ca_);
    options.tls = std::move(files);
    return options;
  }

  /// A command that asks a cluster.
  template <class Run>
  CLI::App* add_asking(const char* name, const char* help, Run run) {
    CLI::App* command = app_.add_subcommand(name, help);
    add_client_flags(command);
    command->add_flag("--json", json_, "Print what the API answers");
    command->callback([this, run] { chosen_ = [this, run] { return ask(run); }; });
    return command;
  }

  template <class Run>
  int ask(Run run) {
    auto options = client_options();
    if (const Failure* failed = failure(options)) return tell(*failed);
    const auto client = Client::make(std::get<ClientOptions>(std::move(options)));
    if (const Failure* failed = failure(client)) return tell(*failed);
    Asked asked;
    asked.client = std::get<std::unique_ptr<Client>>(client).get();
    asked.out = &std::cout;
    asked.json = json_;
    return ended(run(asked));
  }

  /// "-" stands for what comes on stdin.
  static std::string content_of(const std::string& value) {
    if (value != "-") return value;
    return {std::istreambuf_iterator<char>(std::cin), {}};
  }

  void add_keys() {
    CLI::App* get = add_asking("get", "Print the value of a key",
                               [this](const Asked& asked) { return diskeyval::get(asked, name_, read_); });
    get->add_option("KEY", name_)->required();
    get->add_option("--read", read_, "stale, read_index or lease (default: as the node is set)")
        ->check(CLI::IsMember({"stale", "read_index", "lease"}));

    CLI::App* put = add_asking("put", "Give a key a value", [this](const Asked& asked) {
      return diskeyval::put(asked, name_, content_of(value_));
    });
    put->add_option("KEY", name_)->required();
    put->add_option("VALUE", value_, "- for what comes on stdin")->required();

    CLI::App* del = add_asking("delete", "Remove a key",
                               [this](const Asked& asked) { return diskeyval::del(asked, name_); });
    del->add_option("KEY", name_)->required();

    CLI::App* cas =
        add_asking("cas", "Give a key a value if it has another one now", [this](const Asked& asked) {
          return diskeyval::cas(asked, name_, absent_ ? std::nullopt : std::optional(expected_),
                                content_of(value_));
        });
    cas->add_option("KEY", name_)->required();
    cas->add_option("VALUE", value_, "The new value")->required();
    auto* expected = cas->add_option("--expected", expected_, "What it holds now");
    cas->add_flag("--absent", absent_, "It must not exist now")->excludes(expected);

    CLI::App* mput = add_asking("mput", "Give several keys values, all of them or none",
                                [this](const Asked& asked) { return diskeyval::mput(asked, entries_); });
    mput->add_option("KEY=VALUE", entries_)->required();
  }

  void add_operator() {
    add_asking("status", "Tell how each endpoint sees the cluster",
               [](const Asked& asked) { return diskeyval::status(asked); });
    add_asking("members", "Tell who belongs to the cluster",
               [](const Asked& asked) { return diskeyval::members(asked); });

    CLI::App* reconfigure = add_asking(
        "reconfigure", "Change who belongs to the cluster",
        [this](const Asked& asked) { return diskeyval::reconfigure(asked, entries_, learners_, force_); });
    reconfigure->add_option("VOTER", entries_, "node4=HOST:PORT, or node4 for a member; all others leave")
        ->required();
    reconfigure->add_option("--learner", learners_, "Likewise: hears everything, decides nothing");
    reconfigure->add_flag(
        "--force", force_,
        "Learners become voters before they have caught up; the leader may leave itself out");

    CLI::App* transfer = add_asking("transfer", "Hand the leadership over", [this](const Asked& asked) {
      return diskeyval::transfer(asked, raft::NodeId(target_));
    });
    transfer->add_option("NODE", target_, "The number of a voter")->required()->check(CLI::PositiveNumber);
  }

  // ---- Load ----------------------------------------------------------------------------------------------------

  void add_bench() {
    CLI::App* command = app_.add_subcommand("bench", "Measure how fast a cluster answers");
    command->footer(
        "Each client asks, waits for the answer, and asks again. It writes over keys named k0...: not for a "
        "cluster\n"
        "that holds anything of value. SIGINT ends it, and what was measured is printed.");
    add_client_flags(command);
    command->add_flag("--json", json_, "Print one JSON object");
    command->add_option("--clients", bench_.clients, "Connections, one operation at a time each (default 16)")
        ->type_name("N");
    command->add_option("--duration", duration_, "How long it measures (default 10s)")->type_name("TIME");
    command->add_option("--warm-up", warm_up_, "How long it asks before that (default 2s)")
        ->type_name("TIME");
    command->add_option("--keys", bench_.keys, "How many keys there are (default 10000)")->type_name("N");
    command->add_option("--key-size", bench_.key_size, "Bytes of a key (default 16)")->type_name("BYTES");
    command->add_option("--value-size", bench_.value_size, "Bytes of a value (default 256)")
        ->type_name("BYTES");
    command
        ->add_option("--reads", bench_.reads_percent,
                     "How many of a hundred operations are reads (default 0); all keys are written first")
        ->type_name("PERCENT");
    command->add_option("--read-policy", read_, "stale, read_index or lease (default: as the node is set)")
        ->check(CLI::IsMember({"stale", "read_index", "lease"}));
    command->add_option("--target", target_name_, "diskeyval or etcd, its JSON gateway (default diskeyval)")
        ->check(CLI::IsMember({"diskeyval", "etcd"}));
    command->add_option("--spread", spread_, "leader, or all endpoints (default leader; etcd: all)")
        ->check(CLI::IsMember({"leader", "all"}));
    command->callback([this] { chosen_ = [this] { return run_bench_command(); }; });
  }

  int run_bench_command() {
    using std::chrono::milliseconds;
    const auto time = [](const char* flag, const std::string& text, milliseconds& to, int least_ms) {
      std::optional<Failure> failed;
      if (text.empty()) return failed;
      if (const auto expected = set_time(to, text, milliseconds(least_ms), bench_time_max))
        failed =
            Failure{ExitCode::usage, std::string(flag) + " " + text + ": " + *expected + " was expected"};
      return failed;
    };
    if (const auto failed = time("--duration", duration_, bench_.duration, 1)) return tell(*failed);
    if (const auto failed = time("--warm-up", warm_up_, bench_.warm_up, 0)) return tell(*failed);
    if (target_name_ == "etcd") bench_.target = BenchTarget::etcd;
    if (spread_ == "all" || bench_.target == BenchTarget::etcd) bench_.spread = BenchSpread::all;
    if (read_ == "stale") bench_.read = kv::ReadPolicy::stale;
    if (read_ == "read_index") bench_.read = kv::ReadPolicy::read_index;
    if (read_ == "lease") bench_.read = kv::ReadPolicy::lease;
    if (const auto failed = objection_to(bench_)) return tell(*failed);
    auto client = client_options();
    if (const Failure* failed = failure(client)) return tell(*failed);
    auto& reached = std::get<ClientOptions>(client);
    bench_.endpoints = std::move(reached.endpoints);
    bench_.tls = std::move(reached.tls);
    bench_.timeout = reached.timeout;
    return ended(bench(bench_, json_, std::cout));
  }

  CLI::App app_;
  std::function<int()> chosen_;
  std::string config_;
  std::map<const Setting*, std::optional<std::string>> given_;
  std::map<const Setting*, bool> switched_;
  Up up_{.directory = "diskeyval-cluster"};
  std::string cluster_;
  std::optional<std::uint32_t> node_;
  CertsInit init_{"certs", std::nullopt};
  CertsIssue issue_{"certs", std::nullopt, {}, ""};
  CertsRevoke revoke_{"certs", {}};
  CertsShow show_;
  std::string endpoints_;
  std::string cert_;
  std::string key_;
  std::string ca_;
  bool plain_ = false;
  std::uint32_t timeout_ms_ = 5'000;
  bool json_ = false;
  std::string name_;  // of a key
  std::string value_;
  std::string read_;
  std::string expected_;
  bool absent_ = false;
  std::vector<std::string> entries_;
  std::vector<std::string> learners_;
  bool force_ = false;
  std::uint32_t target_ = 0;
  BenchOptions bench_;
  std::string duration_;  // "": as it is
  std::string warm_up_;
  std::string target_name_;
  std::string spread_;
};

}  // namespace

int run(int count, const char* const* arguments) { return App().run(count, arguments); }

}  // namespace raftlab::diskeyval
