// SPDX-License-Identifier: MIT
// What ends a drill before its time: caps on what the faults do, conditions on what comes of it.
#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

constexpr std::size_t kMaxCounterName = 64;
constexpr std::string_view kCounterCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

Result<> read_cap(const Mapping& mapping, std::string_view key, std::uint64_t& cap) {
  const auto found = mapping.find(key);
  if (!found) return {};
  BROWNOUT_ASSIGN(const std::int64_t most, read_integer(*found, 1, kMaxCap));
  cap = static_cast<std::uint64_t>(most);
  return {};
}

Result<std::int64_t> read_limit(const Mapping& mapping) {
  BROWNOUT_ASSIGN(const Cursor limit, mapping.need("max_increase", "max_increase: 100"));
  return read_integer(limit, 0, kMaxCap);
}

Result<KernelCounterLimit> read_kernel_counter(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"name", "max_increase"}));
  BROWNOUT_ASSIGN(const Cursor name, mapping.need("name", "name: TcpExtTCPTimeouts, as nstat says"));
  KernelCounterLimit limit;
  BROWNOUT_ASSIGN(limit.name, read_text(name, kMaxCounterName));
  if (limit.name.find_first_not_of(kCounterCharacters) != std::string::npos)
    return name.refuse_value("the name of a counter", "as `nstat -az` has it: TcpRetransSegs, TcpExtTCPTimeouts");
  BROWNOUT_ASSIGN(limit.max_increase, read_limit(mapping));
  return limit;
}

Result<ErrorCountLimit> read_error_limit(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"max_increase"}));
  ErrorCountLimit limit;
  BROWNOUT_ASSIGN(limit.max_increase, read_limit(mapping));
  return limit;
}

}  // namespace

Result<Caps> read_caps(const Cursor& cursor) {
  const Keys kKeys{"max_duration", "max_packets", "max_bytes", "max_connections"};
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, kKeys));
  if (mapping.empty()) return cursor.refuse_value("a cap", "name at least one, for example max_packets: 100000");
  Caps caps;
  caps.line = cursor.line();
  if (const auto duration = mapping.find("max_duration")) {
    BROWNOUT_ASSIGN(caps.max_duration, read_duration(*duration, kMinPhase, kMaxPhase));
  }
  BROWNOUT_TRY(read_cap(mapping, "max_packets", caps.max_packets));
  BROWNOUT_TRY(read_cap(mapping, "max_bytes", caps.max_bytes));
  BROWNOUT_TRY(read_cap(mapping, "max_connections", caps.max_connections));
  return caps;
}

Result<AbortCondition> read_abort_condition(const Cursor& cursor) {
  const Keys kKinds{"kernel_counter", "error_count", "no_completed_call"};
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, kKinds));
  BROWNOUT_ASSIGN(const Cursor what, mapping.exactly_one(kKinds));
  AbortCondition condition;
  condition.line = cursor.line();
  if (mapping.find("kernel_counter")) {
    BROWNOUT_ASSIGN(condition.what, read_kernel_counter(what));
  } else if (mapping.find("error_count")) {
    BROWNOUT_ASSIGN(condition.what, read_error_limit(what));
  } else {
    NoCompletedCall silence;
    BROWNOUT_ASSIGN(silence.time, read_duration(what, kMinPhase, kMaxSilence));
    condition.what = silence;
  }
  return condition;
}

}  // namespace brownout::drill
