// SPDX-License-Identifier: MIT
// A verdict for people and for programs.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "brownout/text.hpp"
#include "brownout/verdict.hpp"

namespace brownout::verdict {
namespace {

constexpr std::size_t kColumns = 5;
using Row = std::array<std::string, kColumns>;

std::string_view word(CheckSort sort) {
  switch (sort) {
    case CheckSort::kPrerequisite: return "prerequisite";
    case CheckSort::kClaim: return "claim";
    case CheckSort::kCleanup: return "cleanup";
  }
  return "claim";
}

std::string_view colour_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass: return "\x1b[32m";
    case Outcome::kInconclusive: return "\x1b[33m";
    default: return "\x1b[31m";
  }
}

// Columns are as wide as code points, not bytes: "±" and "≥" are one wide.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string_view or_dash(const std::string& text) { return text.empty() ? std::string_view{"-"} : text; }

std::string render_row(const Row& row, const std::array<std::size_t, kColumns>& widths) {
  std::string line;
  for (std::size_t i = 0; i < kColumns; ++i) {
    line += row[i];
    if (i + 1 < kColumns) line.append(widths[i] - width(row[i]) + 2, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

nlohmann::json to_json(const Check& check) {
  auto evidence = nlohmann::json::array();
  for (const auto& ref : check.evidence) evidence.push_back(events::to_json(ref));
  return {{"name", check.name},         {"sort", word(check.sort)}, {"outcome", word(check.outcome)},
          {"reason", name(check.reason)}, {"detail", check.detail}, {"measured", check.measured},
          {"expected", check.expected}, {"n", check.n},             {"rests_on", check.rests_on},
          {"proven_early", check.proven_early}, {"evidence_refs", std::move(evidence)}};
}

}  // namespace

std::string_view word(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass: return "pass";
    case Outcome::kInconclusive: return "inconclusive";
    case Outcome::kFail: return "fail";
    case Outcome::kError: return "error";
  }
  return "error";
}

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass: return "PASS";
    case Outcome::kInconclusive: return "NOT_MEASURABLE";
    case Outcome::kFail: return "FAIL";
    case Outcome::kError: return "ERROR";
  }
  return "ERROR";
}

ExitCode exit_code(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass: return ExitCode::kPass;
    case Outcome::kInconclusive: return ExitCode::kNotMeasurable;
    case Outcome::kFail: return ExitCode::kFail;
    case Outcome::kError: return ExitCode::kError;
  }
  return ExitCode::kError;
}

nlohmann::json to_json(const Verdict& verdict) {
  auto checks = nlohmann::json::array();
  for (const auto& check : verdict.checks) checks.push_back(to_json(check));
  return {{"verdict", name(verdict.outcome)}, {"reasons", verdict.reasons},           {"scope", verdict.scope},
          {"completeness", verdict.completeness}, {"checks", std::move(checks)}};
}

std::string render_table(const Verdict& verdict, bool colour) {
  std::vector<Row> rows{{"outcome", "check", "measured", "expected", "reason"}};
  for (const auto& check : verdict.checks)
    rows.push_back({std::string(word(check.outcome)), visible(check.name), visible(or_dash(check.measured)),
                    visible(or_dash(check.expected)), std::string(name(check.reason))});
  std::array<std::size_t, kColumns> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto line = render_row(rows[i], widths);
    if (colour && i > 0) {
      const auto outcome = verdict.checks[i - 1].outcome;
      line = fmt::format("{}{}\x1b[0m{}", colour_of(outcome), word(outcome), line.substr(word(outcome).size()));
    }
    text += line + '\n';
  }
  text += fmt::format("scope: {}, completeness: {}\n", verdict.scope, verdict.completeness);
  return text;
}

}  // namespace brownout::verdict
