#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// The rungs of the invariant ladder: the identifiers that code, reports and scenario files use. docs/invariants.md
/// says for each rung how it is read, and which formulas were corrected and why.
namespace raftlab::invariants {

/// In the order of the ladder: of two broken rungs the lower one explains the higher one.
enum class Rung : std::uint8_t {
  // L0: one node, one state
  N0,
  N1,
  N2,
  N3,
  N4,
  N5,
  N6,
  N7,
  N8,
  N9,
  N10,
  N11,
  N12,
  N13,
  N14,
  N15,
  N16,
  N17,
  N18,
  N19,
  // L1: one node, across one delta
  D1,
  D2,
  D3,
  D4,
  D5,
  D6,
  D7,
  D8,
  D9,
  D10,
  D11,
  D12,
  D13,
  D14,
  D15,
  D16,
  D17,
  D18,
  D19,
  D20,
  D21,
  // L2: crash and recovery
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  // L3: the cluster at one instant
  G1,
  G2,
  G3,
  G4,
  G5,
  G6,
  G7,
  G8,
  G9,
  G10,
  G11,
  G12,
  G13,
  G14,
  G15,
  // L4: the history
  E1,
  E2,
  E3,
  E4,
  E5,
  E6,
  E7,
  E8,
  E9,
  E10,
  // L5: liveness
  V1,
  V2,
  V3,
  V4,
  V5,
  V6,
  V7,
  V8,
  V9,
  V10,
  V11,
};
inline constexpr std::size_t rung_count = static_cast<std::size_t>(Rung::V11) + 1;

struct RungInfo {
  Rung rung;
  const char* id;        ///< "G3"
  const char* name;      ///< "log-matching"
  const char* sentence;  ///< what holds
  int level;             ///< 0 (one state) .. 5 (liveness)
  bool external;         ///< evaluated outside of the ladder, which is told through `report` and `evaluated`
};

/// Every rung, in the order of the ladder.
[[nodiscard]] std::span<const RungInfo> rungs();
[[nodiscard]] const RungInfo& info(Rung rung);

}  // namespace raftlab::invariants
