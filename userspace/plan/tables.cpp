// SPDX-License-Identifier: MIT
#include "tables.hpp"

#include <algorithm>
#include <numeric>

#include "brownout/digest.hpp"

namespace brownout::plan {
namespace {

std::string digest_of(const std::vector<std::int16_t>& values) {
  std::string bytes;
  for (const std::int16_t value : values) {
    const auto word = static_cast<std::uint16_t>(value);
    bytes += {static_cast<char>(word & 0xff), static_cast<char>(word >> 8)};
  }
  return sha256(bytes);
}

JitterTable make_table(const drill::Drill& drill, const drill::Latency& latency) {
  if (latency.distribution != drill::Distribution::kFile) {
    const auto& values = named_table(latency.distribution);
    return {.name = std::string{distribution_name(latency.distribution)}, .values = values,
            .sha256 = digest_of(values), .file_sha256 = {}};
  }
  const auto& file = drill.tables.at(latency.table);
  return {.name = file.path, .values = file.values, .sha256 = digest_of(file.values), .file_sha256 = sha256(file.text)};
}

const std::vector<std::int16_t>* table_of(const Plan& plan, const PlannedFault& fault) {
  return fault.abi.distribution == 0 ? nullptr : &plan.tables.at(fault.abi.distribution - 1).values;
}

double deviations(double value) { return value / BROWNOUT_JITTER_SCALE; }

}  // namespace

std::string_view distribution_name(drill::Distribution distribution) {
  switch (distribution) {
    case drill::Distribution::kUniform: return "uniform";
    case drill::Distribution::kNormal: return "normal";
    case drill::Distribution::kPareto: return "pareto";
    case drill::Distribution::kParetoNormal: return "paretonormal";
    case drill::Distribution::kFile: break;
  }
  return "file";
}

std::uint32_t table_number(const drill::Drill& drill, const drill::Latency& latency, Plan& plan) {
  if (latency.distribution == drill::Distribution::kUniform) return 0;
  JitterTable table = make_table(drill, latency);
  auto found = std::ranges::find_if(plan.tables, [&table](const JitterTable& known) {
    return known.name == table.name && known.file_sha256 == table.file_sha256;
  });
  if (found == plan.tables.end()) found = plan.tables.insert(found, std::move(table));
  return static_cast<std::uint32_t>(found - plan.tables.begin()) + 1;
}

std::uint64_t longest_delay_ns(const Plan& plan, const PlannedFault& fault) {
  const auto* table = table_of(plan, fault);
  if (table == nullptr) return fault.abi.delay_ns + fault.abi.jitter_ns;
  const double most = std::max(0.0, deviations(std::ranges::max(*table)));
  // One more ns than any rounding makes of it.
  return fault.abi.delay_ns + static_cast<std::uint64_t>(most * static_cast<double>(fault.abi.jitter_ns)) + 1;
}

std::uint64_t longest_delay_ns(const Plan& plan) {
  std::uint64_t longest = 0;
  for (const auto& fault : plan.faults)
    if (fault.abi.kind == BROWNOUT_FAULT_LATENCY) longest += longest_delay_ns(plan, fault);
  return longest;
}

DelayCentre centre_of_delay(const Plan& plan, const PlannedFault& fault) {
  const auto delay = static_cast<double>(fault.abi.delay_ns), jitter = static_cast<double>(fault.abi.jitter_ns);
  const auto* table = table_of(plan, fault);
  if (table == nullptr) return {.median_ns = delay, .mean_ns = delay};
  std::vector<double> delays;
  for (const std::int16_t value : *table) delays.push_back(std::max(0.0, delay + jitter * deviations(value)));
  const auto middle = delays.begin() + static_cast<std::ptrdiff_t>(delays.size() / 2);
  std::ranges::nth_element(delays, middle);
  return {.median_ns = *middle,
          .mean_ns = std::accumulate(delays.begin(), delays.end(), 0.0) / static_cast<double>(delays.size())};
}

}  // namespace brownout::plan
