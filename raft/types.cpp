#include "raft/types.hpp"

namespace raftlab::raft {

const char* short_name(Role role) {
  switch (role) {
    case Role::follower: return "F";
    case Role::pre_candidate: return "PC";
    case Role::candidate: return "C";
    case Role::leader: return "L";
  }
  return "?";
}

const char* name(Role role) {
  switch (role) {
    case Role::follower: return "follower";
    case Role::pre_candidate: return "pre-candidate";
    case Role::candidate: return "candidate";
    case Role::leader: return "leader";
  }
  return "?";
}

}  // namespace raftlab::raft
