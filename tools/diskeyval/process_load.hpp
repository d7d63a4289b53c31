#pragma once

#include "invariants/history.hpp"
#include "net/target.hpp"
#include "tools/diskeyval/client.hpp"
#include "tools/diskeyval/process_cluster.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace raftlab::diskeyval::test {

/// Clients that read and write a few keys for as long as it lives, each in a thread and a session of its own, and what they
/// were told. They begin at different nodes, and stay where they are answered.
class Load {
 public:
  /// Two loads on one cluster need keys of their own: each takes what it finds for new.
  Load(const ProcessCluster& cluster, std::uint32_t clients, std::string prefix = "k")
      : cluster_(&cluster), prefix_(std::move(prefix)) {
    for (std::uint32_t index = 1; index <= clients; ++index)
      threads_.emplace_back([this, index] { run(index); });
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { static_cast<void>(end()); }

  /// Operations that were answered so far.
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  /// Writes that this node has answered.
  [[nodiscard]] std::uint64_t writes_at(std::uint32_t node) {
    const std::lock_guard lock(recording_);
    return writes_[net::text_of(cluster_->endpoint(node))];
  }

  [[nodiscard]] const invariants::History& end() {
    over_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    return recorder_.history();
  }

 private:
  using Json = nlohmann::ordered_json;
  static constexpr std::uint32_t keys = 6;
  static constexpr std::uint64_t reads = 1ULL << 48U;

  static std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  template <class Use>
  void record(Use use) {
    const std::lock_guard lock(recording_);
    use(recorder_);
  }

  void run(std::uint32_t index) {
    const auto client = cluster_->client(std::chrono::seconds(20), (index - 1) % cluster_->nodes() + 1);
    std::uint64_t session = 0;
    std::uint64_t sequence = 0;
    std::uint64_t drawn = index;
    for (std::uint64_t number = 1; !over_; ++number) {
      if (session == 0) {
        const Reply opened = client->ask("POST", "/sessions");
        if (opened.status != 201) continue;
        session = opened.body.at("client_id").get<std::uint64_t>();
        sequence = 0;
      }
      drawn = drawn * 6364136223846793005ULL + 1442695040888963407ULL;
      const std::string key = prefix_ + std::to_string((drawn >> 33U) % keys);
      const std::string path = "/kv/" + net::escape_segment(key);
      const std::uint64_t kind = (drawn >> 40U) % 10;
      const std::string value = std::to_string(index) + '.' + std::to_string(number);
      // Writes are known by their session, in the log too; no session has such a number as these reads.
      invariants::OpId id{reads | index, number};
      invariants::Operation operation = invariants::Get{key};
      Json body = Json::object();
      if (kind >= 5) {
        operation = invariants::Put{key, value};
        id = invariants::OpId{session, ++sequence};
        body = {{"client_id", session}, {"seq", sequence}, {"value", value}};
      }
      record([&](auto& recorder) { recorder.invoke(id, now(), operation); });
      const Reply reply = kind < 5 ? client->ask("GET", path) : client->ask("PUT", path, body.dump());
      record([&](auto& recorder) {
        note(recorder, id, kind < 5, reply);
        if (kind >= 5 && reply.status == 200) ++writes_[net::text_of(reply.from)];
      });
      if (reply.status == 410) session = 0;
      if (reply.decides()) ++answered_;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  static void note(invariants::HistoryRecorder& recorder, invariants::OpId id, bool is_read,
                   const Reply& reply) {
    const auto index = [&] { return raft::Index(reply.body.at("index").get<std::uint64_t>()); };
    if (reply.status == 200 && is_read) {
      recorder.ok(id, now(), invariants::Outcome::read(reply.body.at("value").get<std::string>()), index());
    } else if (reply.status == 200) {
      recorder.ok(id, now(), invariants::Outcome::done(), index());
    } else if (reply.status == 404) {
      recorder.ok(id, now(), invariants::Outcome::read(invariants::Value{}), raft::Index{});
    } else if (!reply.asked || (reply.decides() && reply.status != 410)) {
      recorder.fail(id, now());
    } else {
      recorder.unknown(id, now());
    }
  }

  const ProcessCluster* cluster_;
  const std::string prefix_;
  std::mutex recording_;
  invariants::HistoryRecorder recorder_;
  std::map<std::string, std::uint64_t> writes_;
  std::atomic<bool> over_ = false;
  std::atomic<std::uint64_t> answered_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace raftlab::diskeyval::test
