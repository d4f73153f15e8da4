// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "brownout/text.hpp"
#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

Result<Latency> read_latency(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"delay", "jitter"}));
  BROWNOUT_ASSIGN(const Cursor delay, mapping.need("delay", "latency: {delay: 1500ms}"));
  Latency latency;
  BROWNOUT_ASSIGN(latency.delay, read_duration(delay, 1us, kMaxDelay));
  const auto jitter = mapping.find("jitter");
  if (!jitter) return latency;
  BROWNOUT_ASSIGN(latency.jitter, read_duration(*jitter, 0s, kMaxDelay));
  if (latency.jitter > latency.delay)
    return jitter->refuse_value(fmt::format("at most the delay of {}", format_duration(latency.delay)),
                                "a packet cannot leave before it came: make the jitter smaller or the delay larger");
  return latency;
}

Result<Loss> read_loss(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"rate"}));
  BROWNOUT_ASSIGN(const Cursor rate, mapping.need("rate", "loss: {rate: 5%}"));
  BROWNOUT_ASSIGN(const double value, read_rate(rate));
  return Loss{value};
}

Result<Blackhole> read_blackhole(const Cursor& cursor) {
  if (cursor.tree->kind == Tree::Kind::kNull) return Blackhole{};
  if (cursor.tree->kind != Tree::Kind::kMapping || !cursor.tree->members.empty())
    return cursor.refuse_value("empty", "write blackhole: {}");
  return Blackhole{};
}

}  // namespace

Result<Fault> read_fault(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"latency", "loss", "blackhole", "match"}));
  BROWNOUT_ASSIGN(const Cursor what, mapping.exactly_one({"latency", "loss", "blackhole"}));
  BROWNOUT_ASSIGN(const Cursor match, mapping.need("match", "`match: all` to mean everything, or match: {port: 443}"));
  Fault fault;
  fault.line = cursor.line();
  if (mapping.find("latency")) {
    BROWNOUT_ASSIGN(fault.what, read_latency(what));
  } else if (mapping.find("loss")) {
    BROWNOUT_ASSIGN(fault.what, read_loss(what));
  } else {
    BROWNOUT_ASSIGN(fault.what, read_blackhole(what));
  }
  BROWNOUT_ASSIGN(fault.match, read_match(match));
  return fault;
}

}  // namespace brownout::drill
