// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "brownout/text.hpp"
#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

constexpr Choice<Distribution> kDistributions[] = {{"uniform", Distribution::kUniform},
                                                   {"normal", Distribution::kNormal},
                                                   {"pareto", Distribution::kPareto},
                                                   {"paretonormal", Distribution::kParetoNormal}};

// A misspelt word shall not be looked for as a file.
bool names_file(const Cursor& cursor) {
  return cursor.tree->kind == Tree::Kind::kScalar &&
         (cursor.tree->scalar.contains('/') || cursor.tree->scalar.ends_with(".dist"));
}

Result<> read_distribution(const Cursor& cursor, TableShelf& tables, Latency& latency) {
  if (names_file(cursor)) {
    latency.distribution = Distribution::kFile;
    BROWNOUT_ASSIGN(latency.table, tables.find(cursor));
    return {};
  }
  for (const auto& [word, distribution] : kDistributions)
    if (cursor.tree->kind == Tree::Kind::kScalar && cursor.tree->scalar == word) {
      latency.distribution = distribution;
      return {};
    }
  return cursor.refuse_value("one of uniform, normal, pareto, paretonormal, nor a table file",
                             "a file's name ends in .dist or has a / in it: ./NAME");
}

Result<double> read_correlation(const Cursor& cursor) {
  const auto value = cursor.tree->kind == Tree::Kind::kScalar ? parse_rate(cursor.tree->scalar) : std::nullopt;
  if (value && *value <= kMaxCorrelation) return *value;
  return cursor.refuse_value(fmt::format("a correlation from 0% to {}", format_rate(kMaxCorrelation)),
                             "in steps of 0.001%, for example 25%");
}

Result<> read_jitter(const Mapping& mapping, TableShelf& tables, Latency& latency) {
  if (const auto jitter = mapping.find("jitter")) {
    BROWNOUT_ASSIGN(latency.jitter, read_duration(*jitter, 0s, kMaxDelay));
    if (latency.jitter > latency.delay)
      return jitter->refuse_value(fmt::format("at most the delay of {}", format_duration(latency.delay)),
                                  "a packet cannot leave before it came: make the jitter smaller or the delay larger");
  }
  for (const auto key : {"distribution", "correlation"}) {
    const auto found = mapping.find(key);
    if (found && latency.jitter == 0s)
      return found->refuse("without jitter every delay is the same", "add jitter: 20ms, or remove this key");
  }
  if (const auto distribution = mapping.find("distribution")) {
    BROWNOUT_TRY(read_distribution(*distribution, tables, latency));
  }
  if (const auto correlation = mapping.find("correlation")) {
    BROWNOUT_ASSIGN(latency.correlation, read_correlation(*correlation));
  }
  return {};
}

Result<Latency> read_latency(const Cursor& cursor, TableShelf& tables) {
  BROWNOUT_ASSIGN(const Mapping mapping,
                  Mapping::open(cursor, {"delay", "jitter", "distribution", "correlation", "reorder"}));
  BROWNOUT_ASSIGN(const Cursor delay, mapping.need("delay", "latency: {delay: 1500ms}"));
  Latency latency;
  BROWNOUT_ASSIGN(latency.delay, read_duration(delay, 1us, kMaxDelay));
  BROWNOUT_TRY(read_jitter(mapping, tables, latency));
  if (const auto reorder = mapping.find("reorder")) {
    BROWNOUT_ASSIGN(latency.reorder, read_bool(*reorder));
  }
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

Result<Fault> read_fault(const Cursor& cursor, TableShelf& tables, const std::set<Allowed>& allow) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"latency", "loss", "blackhole", "match"}));
  BROWNOUT_ASSIGN(const Cursor what, mapping.exactly_one({"latency", "loss", "blackhole"}));
  BROWNOUT_ASSIGN(const Cursor match, mapping.need("match", "`match: all` to mean everything, or match: {port: 443}"));
  Fault fault;
  fault.line = cursor.line();
  if (mapping.find("latency")) {
    BROWNOUT_ASSIGN(fault.what, read_latency(what, tables));
  } else if (mapping.find("loss")) {
    BROWNOUT_ASSIGN(fault.what, read_loss(what));
  } else {
    BROWNOUT_ASSIGN(fault.what, read_blackhole(what));
  }
  BROWNOUT_ASSIGN(fault.match, read_match(match));
  BROWNOUT_TRY(refuse_spared(match, fault.match, allow));
  return fault;
}

}  // namespace brownout::drill
