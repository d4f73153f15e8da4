// SPDX-License-Identifier: MIT
#include <cmath>

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

// From 0 to `most`.
Result<double> read_share(const Cursor& cursor, double most) {
  const auto value = cursor.tree->kind == Tree::Kind::kScalar ? parse_rate(cursor.tree->scalar) : std::nullopt;
  if (value && *value <= most) return *value;
  return cursor.refuse_value(fmt::format("a percentage from 0% to {}", format_rate(most)),
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
    BROWNOUT_ASSIGN(latency.correlation, read_share(*correlation, kMaxCorrelation));
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

// How like its neighbour's a packet's state may be: the walk back of BROWNOUT_BURST_STEPS must come to one that decides.
constexpr double kMostAlike = 0.99;

Result<Loss> loss_of(const Bursts& bursts, const Cursor& cursor) {
  if (std::abs(1 - bursts.enter - bursts.leave) > kMostAlike)
    return cursor.refuse(fmt::format("bursts begin with {} and end with {} of the packets", format_rate(bursts.enter),
                                     format_rate(bursts.leave)),
                         "together they must be from 1% to 199%: make the bursts shorter or the rate higher");
  return Loss{.rate = rate_of(bursts), .bursts = bursts};
}

// Mean rate and mean length, which is what is known of a network; inside all is lost, between them nothing.
Result<Loss> read_mean_bursts(double rate, const Cursor& cursor) {
  BROWNOUT_ASSIGN(const double packets, read_number(cursor, 1, 100));
  if (rate == 1) return cursor.refuse("there are no bursts where everything is lost", "remove this key, or lower the rate");
  const double least = rate / (1 - rate); // with gaps of a single packet
  if (packets < least)
    return cursor.refuse_value(fmt::format("long enough for a rate of {}", format_rate(rate)),
                               fmt::format("a gap is one packet at least: it takes bursts of {:.4g}, or a lower rate", least));
  return loss_of({.enter = least / packets, .leave = 1 / packets}, cursor);
}

Result<Loss> read_gilbert_elliott(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"p", "r", "h", "k"}));
  BROWNOUT_ASSIGN(const Cursor enter, mapping.need("p", "gilbert_elliott: {p: 1%, r: 10%}"));
  BROWNOUT_ASSIGN(const Cursor leave, mapping.need("r", "gilbert_elliott: {p: 1%, r: 10%}"));
  Bursts bursts;
  BROWNOUT_ASSIGN(bursts.enter, read_rate(enter));
  BROWNOUT_ASSIGN(bursts.leave, read_rate(leave));
  if (const auto passed = mapping.find("h")) {
    BROWNOUT_ASSIGN(const double share, read_share(*passed, 1));
    bursts.lost_inside = 1 - share;
  }
  if (const auto passed = mapping.find("k")) {
    BROWNOUT_ASSIGN(const double share, read_share(*passed, 1));
    bursts.lost_between = 1 - share;
  }
  if (rate_of(bursts) == 0) return cursor.refuse("this loses nothing", "h and k are what passes inside of bursts and between them");
  return loss_of(bursts, cursor);
}

Result<Loss> read_loss(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"rate", "burst", "gilbert_elliott"}));
  if (const auto model = mapping.find("gilbert_elliott")) {
    for (const auto key : {"rate", "burst"})
      if (const auto found = mapping.find(key)) return found->refuse("gilbert_elliott says it already", "remove one of them");
    return read_gilbert_elliott(*model);
  }
  BROWNOUT_ASSIGN(const Cursor rate, mapping.need("rate", "loss: {rate: 5%}"));
  BROWNOUT_ASSIGN(const double value, read_rate(rate));
  if (const auto burst = mapping.find("burst")) return read_mean_bursts(value, *burst);
  return Loss{.rate = value};
}

Result<Blackhole> read_blackhole(const Cursor& cursor) {
  if (cursor.tree->kind == Tree::Kind::kNull) return Blackhole{};
  if (cursor.tree->kind != Tree::Kind::kMapping || !cursor.tree->members.empty())
    return cursor.refuse_value("empty", "write blackhole: {}");
  return Blackhole{};
}

}  // namespace

double rate_of(const Bursts& bursts) {
  return (bursts.enter * bursts.lost_inside + bursts.leave * bursts.lost_between) / (bursts.enter + bursts.leave);
}

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
