#include "simulator/operations.hpp"

#include "raft/assert.hpp"

namespace raftlab::simulator {

using invariants::Operation;
using invariants::Outcome;

namespace {

/// The alternative, as it was if the variant holds it already.
template <class Alternative>
Alternative& become(Operation& operation) {
  auto* held = std::get_if<Alternative>(&operation);
  return held != nullptr ? *held : operation.emplace<Alternative>();
}

}  // namespace

void to_operation(const kv::CommandView& command, Operation& operation) {
  using Text = std::string_view;
  struct Translate {
    Operation& to;

    void operator()(const kv::BasicPut<Text>& put) const {
      auto& translated = become<invariants::Put>(to);
      translated.key = put.key;
      translated.value = put.value;
    }
    void operator()(const kv::BasicDelete<Text>& erase) const {
      become<invariants::Delete>(to).key = erase.key;
    }
    void operator()(const kv::BasicCompareAndSwap<Text>& swap) const {
      auto& translated = become<invariants::CompareAndSwap>(to);
      translated.key = swap.key;
      translated.expected = swap.expected;
      translated.value = swap.value;
    }
    void operator()(const kv::BasicPutBatch<Text>& batch) const {
      auto& translated = become<invariants::PutBatch>(to);
      translated.entries.clear();
      for (const kv::BasicPut<Text>& put : batch.entries)
        translated.entries.push_back(invariants::Put{std::string(put.key), std::string(put.value)});
    }
    void operator()(const kv::OpenSession& /*open*/) const {
      RAFTLAB_ASSERT(false && "the opening of a session is no operation of a history");
    }
  };
  std::visit(Translate{operation}, command.change);
}

void to_operation(const std::variant<kv::Command, kv::GetKeys>& what, Operation& operation) {
  if (const auto* command = std::get_if<kv::Command>(&what))
    return to_operation(kv::view(*command), operation);
  const auto& get = std::get<kv::GetKeys>(what);
  if (get.keys.size() == 1) {
    become<invariants::Get>(operation).key = get.keys.front();
  } else {
    become<invariants::MultiGet>(operation).keys = get.keys;
  }
}

Operation to_operation(const kv::Command& command) {
  Operation operation;
  to_operation(kv::view(command), operation);
  return operation;
}

Operation to_operation(const std::variant<kv::Command, kv::GetKeys>& what) {
  Operation operation;
  to_operation(what, operation);
  return operation;
}

Outcome to_outcome(const std::variant<kv::Command, kv::GetKeys>& what, const kv::Answer& answer) {
  if (answer.status == kv::Status::compare_failed) return Outcome::compare_failed(answer.found);
  if (std::holds_alternative<kv::Command>(what)) return Outcome::done();
  if (answer.values.size() == 1) return Outcome::read(answer.values.front());
  return Outcome::read(answer.values);
}

invariants::ReadClaim claim_of(kv::ReadPolicy policy) {
  switch (policy) {
    case kv::ReadPolicy::stale: return invariants::ReadClaim::stale;
    case kv::ReadPolicy::lease: return invariants::ReadClaim::lease;
    case kv::ReadPolicy::read_index: break;
  }
  return invariants::ReadClaim::linearizable;
}

}  // namespace raftlab::simulator
