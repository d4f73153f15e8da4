// SPDX-License-Identifier: MIT
// How long and how much: pressure and phases.
#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {

Result<Pressure> read_pressure(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"min_calls", "within", "timeout"}));
  Pressure pressure;
  pressure.line = cursor.line();
  if (const auto min_calls = mapping.find("min_calls")) {
    BROWNOUT_ASSIGN(pressure.min_calls, read_integer(*min_calls, 1, kMaxCount));
  }
  if (const auto within = mapping.find("within")) {
    BROWNOUT_ASSIGN(pressure.within, read_duration(*within, kMinPhase, kMaxWithin));
  }
  if (const auto timeout = mapping.find("timeout")) {
    BROWNOUT_ASSIGN(pressure.timeout, read_duration(*timeout, kMinPhase, kMaxPhase));
  }
  return pressure;
}

Result<Phases> read_phases(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"baseline", "inject", "recovery", "settle"}));
  Phases phases;
  if (const auto baseline = mapping.find("baseline")) {
    BROWNOUT_ASSIGN(phases.baseline, read_duration(*baseline, kMinPhase, kMaxPhase));
  }
  if (const auto inject = mapping.find("inject")) {
    BROWNOUT_ASSIGN(phases.inject, read_duration(*inject, kMinPhase, kMaxPhase));
  }
  if (const auto recovery = mapping.find("recovery")) {
    BROWNOUT_ASSIGN(phases.recovery, read_duration(*recovery, kMinPhase, kMaxPhase));
  }
  if (const auto settle = mapping.find("settle")) {
    BROWNOUT_ASSIGN(phases.settle, read_duration(*settle, 0s, kMaxSettle));
  }
  return phases;
}

}  // namespace brownout::drill
