#pragma once

#include "invariants/history.hpp"
#include "invariants/witness.hpp"
#include "raft/hash.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// For tests: random histories of a store that behaves, with the log behind them, as the calls that a host
/// makes.
namespace raftlab::invariants::testing {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// 0 .. bound-1
  std::uint64_t below(std::uint64_t bound) {
    state_ += 0x9e3779b97f4a7c15ULL;
    return raft::mix(state_, 0xd6e8feb86659fd93ULL) % bound;
  }
  bool one_in(std::uint64_t bound) { return below(bound) == 0; }

 private:
  std::uint64_t state_;
};

struct Call {
  enum class Kind : std::uint8_t { invoke, ok, fail, unknown, committed };
  Kind kind = Kind::invoke;
  OpId id;  ///< committed: client 0 stands for an entry without an operation
  std::int64_t now_ns = 0;
  Operation op;     ///< invoke, committed
  Outcome outcome;  ///< ok
  raft::Index index;
  bool stale = false;
};

struct RandomOptions {
  std::size_t calls = 200;
  std::uint64_t clients = 4;
  std::uint64_t keys = 3;
  std::uint64_t values = 4;  ///< 0: every value is new
};

class RandomRun {
 public:
  RandomRun(std::uint64_t seed, const RandomOptions& options) : random_(seed), options_(options) {
    clients_.resize(options.clients);
    for (std::uint64_t at = 0; at < options.clients; ++at) clients_[at].id.client = at + 1;
    while (calls_.size() < options.calls) act();
    for (Client& client : clients_) {
      if (client.busy) finish(client);
    }
  }
  [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }

 private:
  struct Client {
    OpId id;
    bool busy = false;
    bool done = false;  ///< took effect, or was served
    Operation op;
    Outcome outcome;
    raft::Index index;
  };

  std::string key() { return std::string(1, static_cast<char>('a' + random_.below(options_.keys))); }
  std::string value() {
    return std::to_string(options_.values == 0 ? ++next_value_ : 1 + random_.below(options_.values));
  }
  [[nodiscard]] Value held(const std::string& at) const {
    const auto found = store_.find(at);
    return found == store_.end() ? Value() : Value(found->second);
  }

  Operation operation() {
    switch (random_.below(8)) {
      case 0: return Delete{key()};
      case 1:
      case 2: {
        std::string at = key();
        Value expected = random_.one_in(3) ? Value(value()) : held(at);
        return CompareAndSwap{std::move(at), std::move(expected), value()};
      }
      case 3: {
        PutBatch batch;
        for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) {
          std::string at = key();
          batch.entries.push_back({std::move(at), value()});
        }
        return batch;
      }
      case 4: {
        MultiGet get;
        for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) get.keys.push_back(key());
        return get;
      }
      case 5:
      case 6: return Get{key()};
      default: {
        std::string at = key();
        return Put{std::move(at), value()};
      }
    }
  }

  Call& call(Call::Kind kind, OpId id) {
    now_ns_ += static_cast<std::int64_t>(random_.below(3));
    Call next;
    next.kind = kind;
    next.id = id;
    next.now_ns = now_ns_;
    calls_.push_back(std::move(next));
    return calls_.back();
  }

  Outcome change(const Operation& op) {
    if (const auto* put = std::get_if<Put>(&op)) store_[put->key] = put->value;
    if (const auto* erase = std::get_if<Delete>(&op)) store_.erase(erase->key);
    if (const auto* batch = std::get_if<PutBatch>(&op)) {
      for (const Put& part : batch->entries) store_[part.key] = part.value;
    }
    if (const auto* swap = std::get_if<CompareAndSwap>(&op)) {
      if (held(swap->key) != swap->expected) return Outcome::compare_failed(held(swap->key));
      store_[swap->key] = swap->value;
    }
    return Outcome::done();
  }

  raft::Index append(OpId id, const Operation& op) {
    index_ = index_.next();
    Call& entry = call(Call::Kind::committed, id);
    entry.op = op;
    entry.index = index_;
    return index_;
  }

  void take_effect(Client& client) {
    client.done = true;
    if (!is_read(client.op)) {
      client.index = append(client.id, client.op);
      client.outcome = change(client.op);
      latest_[client.id.client] = client.id.sequence;
      return;
    }
    client.index = index_;
    if (const auto* get = std::get_if<Get>(&client.op)) {
      client.outcome = Outcome::read(held(get->key));
      return;
    }
    std::vector<Value> values;
    for (const std::string& at : std::get<MultiGet>(client.op).keys) values.push_back(held(at));
    client.outcome = Outcome::read(std::move(values));
  }

  void answer(Client& client) {
    Call& returned = call(Call::Kind::ok, client.id);
    returned.outcome = client.outcome;
    returned.index = client.index;
    client.busy = false;
  }

  void finish(Client& client) {
    if (!client.done && !index_) append({}, Put{});  // a read is served at an index
    if (!client.done) take_effect(client);
    answer(client);
  }

  void act() {
    Client& client = clients_[random_.below(clients_.size())];
    if (random_.one_in(12)) {
      append({}, Put{});  // a no-op
    } else if (!lingering_.empty() && random_.one_in(8)) {
      const auto at = lingering_.begin() + static_cast<std::ptrdiff_t>(random_.below(lingering_.size()));
      const auto [id, op] = *at;
      lingering_.erase(at);
      append(id, op);
      if (latest_[id.client] < id.sequence) {
        change(op);
        latest_[id.client] = id.sequence;
      }
    } else if (!client.busy) {
      client.busy = true;
      client.done = false;
      ++client.id.sequence;
      client.op = operation();
      call(Call::Kind::invoke, client.id).op = client.op;
    } else if (!client.done) {
      const std::uint64_t fate = random_.below(16);
      if (fate == 0) {
        call(Call::Kind::fail, client.id);
        client.busy = false;
      } else if (fate == 1) {
        if (!is_read(client.op)) lingering_.emplace_back(client.id, client.op);
        call(Call::Kind::unknown, client.id);
        client.busy = false;
      } else if (index_) {
        take_effect(client);
      }
    } else if (!is_read(client.op) && random_.one_in(8)) {
      const raft::Index again = append(client.id, client.op);  // a retry arrived
      if (random_.one_in(2)) client.index = again;
    } else if (random_.one_in(20)) {
      call(Call::Kind::unknown, client.id);
      client.busy = false;
    } else {
      answer(client);
    }
  }

  Random random_;
  RandomOptions options_;
  std::vector<Call> calls_;
  std::vector<Client> clients_;
  std::map<std::string, std::string> store_;
  std::map<std::uint64_t, std::uint64_t> latest_;
  std::vector<std::pair<OpId, Operation>> lingering_;
  std::int64_t now_ns_ = 0;
  raft::Index index_;
  std::uint64_t next_value_ = 0;
};

/// Makes the calls; `committed` only for a witness.
template <class Checker>
void replay(const std::vector<Call>& calls, Checker& checker) {
  for (const Call& call : calls) {
    switch (call.kind) {
      case Call::Kind::invoke: checker.invoke(call.id, call.now_ns, call.op); break;
      case Call::Kind::ok:
        checker.ok(call.id, call.now_ns, call.outcome, call.index,
                   call.stale ? ReadClaim::stale : ReadClaim::linearizable);
        break;
      case Call::Kind::fail: checker.fail(call.id, call.now_ns); break;
      case Call::Kind::unknown: checker.unknown(call.id, call.now_ns); break;
      case Call::Kind::committed:
        if constexpr (requires { checker.committed(call.index, std::nullopt, nullptr); }) {
          if (call.id.client == 0) {
            checker.committed(call.index, std::nullopt, nullptr);
          } else {
            checker.committed(call.index, call.id, &call.op);
          }
        }
        break;
    }
  }
  if constexpr (requires { checker.finish(0); }) checker.finish(calls.empty() ? 0 : calls.back().now_ns);
}

[[nodiscard]] inline History history_of(const std::vector<Call>& calls) {
  HistoryRecorder recorder;
  replay(calls, recorder);
  return recorder.history();
}

}  // namespace raftlab::invariants::testing
