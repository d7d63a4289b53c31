#include "simulator/operations.hpp"

#include "raft/assert.hpp"

namespace raftlab::simulator {

using invariants::Operation;
using invariants::Outcome;

Operation to_operation(const kv::Command& command) {
  struct Translate {
    Operation operator()(const kv::Put& put) const { return invariants::Put{put.key, put.value}; }
    Operation operator()(const kv::Delete& erase) const { return invariants::Delete{erase.key}; }
    Operation operator()(const kv::CompareAndSwap& swap) const {
      return invariants::CompareAndSwap{swap.key, swap.expected, swap.value};
    }
    Operation operator()(const kv::PutBatch& batch) const {
      invariants::PutBatch translated;
      for (const kv::Put& put : batch.entries)
        translated.entries.push_back(invariants::Put{put.key, put.value});
      return translated;
    }
    Operation operator()(const kv::OpenSession& /*open*/) const {
      RAFTLAB_ASSERT(false && "the opening of a session is no operation of a history");
      return {};
    }
  };
  return std::visit(Translate{}, command.change);
}

Operation to_operation(const std::variant<kv::Command, kv::GetKeys>& what) {
  if (const auto* command = std::get_if<kv::Command>(&what)) return to_operation(*command);
  const auto& get = std::get<kv::GetKeys>(what);
  if (get.keys.size() == 1) return invariants::Get{get.keys.front()};
  return invariants::MultiGet{get.keys};
}

Outcome to_outcome(const std::variant<kv::Command, kv::GetKeys>& what, const kv::Answer& answer) {
  if (answer.status == kv::Status::compare_failed) return Outcome::compare_failed(answer.found);
  if (std::holds_alternative<kv::Command>(what)) return Outcome::done();
  if (answer.values.size() == 1) return Outcome::read(answer.values.front());
  return Outcome::read(answer.values);
}

}  // namespace raftlab::simulator
