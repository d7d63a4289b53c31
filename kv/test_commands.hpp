#pragma once

#include "kv/command.hpp"

#include <rapidcheck.h>

/// Random commands for the property tests: few keys and short values, so that commands meet.
namespace raftlab::kv::test {

inline rc::Gen<std::string> any_key() {
  return rc::gen::oneOf(rc::gen::element<std::string>("a", "b", "c"),
                        rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>())));
}
inline rc::Gen<std::string> any_value() {
  return rc::gen::oneOf(rc::gen::element<std::string>("", "1", "2"),
                        rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
}
inline rc::Gen<Put> any_put() {
  return rc::gen::exec([] {
    Put put;
    put.key = *any_key();
    put.value = *any_value();
    return put;
  });
}

/// Sets `change` to one that is not an `OpenSession`. To be called within a property or `rc::gen::exec`.
inline void draw_change(Change& change) {
  switch (*rc::gen::inRange(0, 4)) {
    case 0: change = *any_put(); break;
    case 1: change = Delete{*any_key()}; break;
    case 2: {
      CompareAndSwap& compare = change.emplace<CompareAndSwap>();
      compare.key = *any_key();
      if (*rc::gen::arbitrary<bool>()) compare.expected = *any_value();
      compare.value = *any_value();
      break;
    }
    default: {
      PutBatch& batch = change.emplace<PutBatch>();
      batch.entries = *rc::gen::nonEmpty(rc::gen::container<std::vector<Put>>(any_put()));
      if (batch.entries.size() > batch_entries_max) batch.entries.resize(batch_entries_max);
    }
  }
}

inline std::uint64_t draw_number(std::uint64_t min) {
  return *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(min, 300), rc::gen::nonZero<std::uint64_t>());
}

/// A command for which `check` is `none`. To be called within a property or `rc::gen::exec`.
inline Command draw_command() {
  Command command;
  if (*rc::gen::inRange(0, 10) == 0) {
    command.change = OpenSession{};
    return command;
  }
  command.client = ClientId(draw_number(0));
  command.sequence = Sequence(draw_number(1));
  draw_change(command.change);
  return command;
}

/// A command that is likely to meet a session: clients and numbers are few. To be called as above.
inline Command draw_session_command(raft::Index index) {
  Command command;
  if (*rc::gen::inRange(0, 5) == 0) {
    command.change = OpenSession{};
    return command;
  }
  command.client = ClientId(*rc::gen::inRange<std::uint64_t>(0, index.value() + 1));
  command.sequence = Sequence(*rc::gen::inRange<std::uint64_t>(1, 5));
  draw_change(command.change);
  return command;
}

}  // namespace raftlab::kv::test
