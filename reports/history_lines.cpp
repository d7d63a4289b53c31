#include "reports/history_lines.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>
#include <vector>

namespace raftlab::reports {
namespace {

using Json = nlohmann::ordered_json;
using namespace invariants;

// ---- Writing ---------------------------------------------------------------------------------------------------

Json json_of(const Value& value) { return value ? Json(*value) : Json(); }

struct PutOperation {
  Json& to;

  void operator()(const Put& put) const {
    to["op"] = "put";
    to["key"] = put.key;
    to["value"] = put.value;
  }
  void operator()(const Delete& erase) const {
    to["op"] = "delete";
    to["key"] = erase.key;
  }
  void operator()(const CompareAndSwap& swap) const {
    to["op"] = "cas";
    to["key"] = swap.key;
    to["expected"] = json_of(swap.expected);
    to["value"] = swap.value;
  }
  void operator()(const Append& append) const {
    to["op"] = "append";
    to["key"] = append.key;
    to["value"] = append.value;
  }
  void operator()(const PutBatch& batch) const {
    to["op"] = "mput";
    Json entries = Json::array();
    for (const Put& put : batch.entries) entries.push_back(Json{{"key", put.key}, {"value", put.value}});
    to["entries"] = std::move(entries);
  }
  void operator()(const Get& get) const {
    to["op"] = "get";
    to["key"] = get.key;
  }
  void operator()(const MultiGet& get) const {
    to["op"] = "mget";
    to["keys"] = get.keys;
  }
};

void put_outcome(const HistoryEntry& entry, Json& to) {
  const Outcome& outcome = entry.outcome;
  if (outcome.kind == Outcome::Kind::compare_failed) {
    to["compare_failed"] = true;
    if (outcome.found_told) to["found"] = json_of(outcome.value);
  } else if (std::holds_alternative<Get>(entry.op)) {
    to["read"] = json_of(outcome.value);
  } else if (std::holds_alternative<MultiGet>(entry.op)) {
    Json values = Json::array();
    for (const Value& value : outcome.values) values.push_back(json_of(value));
    to["read"] = std::move(values);
  }
}

const char* name(Fate fate) {
  switch (fate) {
    case Fate::ok: return "ok";
    case Fate::fail: return "fail";
    case Fate::unknown: break;
  }
  return "unknown";
}

// ---- Reading ---------------------------------------------------------------------------------------------------

[[noreturn]] void wrong(const std::string& what) { throw std::runtime_error(what); }

Value value_of(const Json& json) { return json.is_null() ? Value() : Value(json.get<std::string>()); }

Operation operation_of(const Json& json) {
  const auto text = [&](const char* field) { return json.at(field).get<std::string>(); };
  const std::string op = text("op");
  if (op == "put") return Put{text("key"), text("value")};
  if (op == "delete") return Delete{text("key")};
  if (op == "cas") return CompareAndSwap{text("key"), value_of(json.at("expected")), text("value")};
  if (op == "append") return Append{text("key"), text("value")};
  if (op == "get") return Get{text("key")};
  if (op == "mget") return MultiGet{json.at("keys").get<std::vector<std::string>>()};
  if (op != "mput") wrong("'" + op + "' is no operation");
  PutBatch batch;
  for (const Json& entry : json.at("entries"))
    batch.entries.push_back(Put{entry.at("key").get<std::string>(), entry.at("value").get<std::string>()});
  return batch;
}

Outcome outcome_of(const Json& json, const Operation& operation) {
  if (json.value("compare_failed", false)) {
    return json.contains("found") ? Outcome::compare_failed(value_of(json.at("found")))
                                  : Outcome::compare_failed_untold();
  }
  if (std::holds_alternative<Get>(operation)) return Outcome::read(value_of(json.at("read")));
  const auto* many = std::get_if<MultiGet>(&operation);
  if (many == nullptr) return Outcome::done();
  std::vector<Value> values;
  for (const Json& value : json.at("read")) values.push_back(value_of(value));
  if (values.size() != many->keys.size()) wrong("'read' does not have a value for each key");
  return Outcome::read(std::move(values));
}

Fate fate_of(const std::string& fate) {
  for (const Fate one : {Fate::ok, Fate::fail, Fate::unknown}) {
    if (fate == name(one)) return one;
  }
  wrong("'" + fate + "' is no fate");
}

HistoryEntry entry_of(const Json& json) {
  HistoryEntry entry;
  entry.id = OpId{json.at("client").get<std::uint64_t>(), json.at("sequence").get<std::uint64_t>()};
  entry.op = operation_of(json);
  entry.fate = fate_of(json.at("fate").get<std::string>());
  entry.invoked_ns = json.at("invoked_ns").get<std::int64_t>();
  if (entry.fate == Fate::ok) entry.outcome = outcome_of(json, entry.op);
  if (entry.fate != Fate::unknown || json.contains("returned_ns"))
    entry.returned_ns = json.at("returned_ns").get<std::int64_t>();
  if (entry.fate != Fate::unknown && entry.returned_ns < entry.invoked_ns)
    wrong("it returned before it was invoked");
  entry.index = raft::Index(json.value("index", std::uint64_t{0}));
  entry.stale = json.value("stale", false);
  return entry;
}

}  // namespace

std::string history_lines(const History& history) {
  std::string lines;
  for (const HistoryEntry& entry : history.entries) {
    Json json = {{"client", entry.id.client}, {"sequence", entry.id.sequence}};
    std::visit(PutOperation{json}, entry.op);
    json["fate"] = name(entry.fate);
    json["invoked_ns"] = entry.invoked_ns;
    if (entry.fate != Fate::unknown || entry.returned_ns >= entry.invoked_ns)
      json["returned_ns"] = entry.returned_ns;
    if (entry.fate == Fate::ok) put_outcome(entry, json);
    if (entry.index) json["index"] = entry.index.value();
    if (entry.stale) json["stale"] = true;
    lines += json.dump() + '\n';
  }
  return lines;
}

std::variant<History, HistoryLineError> read_history_lines(std::string_view text) {
  History history;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::string_view one = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      history.entries.push_back(entry_of(Json::parse(one)));
    } catch (const std::exception& error) {
      return HistoryLineError{line, error.what()};
    }
    const std::size_t last = history.entries.size() - 1;
    if (last > 0 && history.entries[last].invoked_ns < history.entries[last - 1].invoked_ns)
      return HistoryLineError{line, "operations must be in the order of their invocation"};
  }
  return history;
}

}  // namespace raftlab::reports
