// SPDX-License-Identifier: MIT
// A verdict in words: for each check what was measured, what was wanted, why it came out so, what to do, and the lines
// of evidence themselves.
#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "opened.hpp"
#include "rejudge.hpp"

namespace brownout::bundle {
namespace {

using verdict::Check;
using verdict::Outcome;

constexpr std::size_t kMostRefs = 8;      // of one check
constexpr int kMostLines = 2;             // of one reference
constexpr std::size_t kLongestLine = 240;  // bytes

bool is_named(const Check& check, const std::vector<std::string>& names) {
  return names.empty() || std::ranges::any_of(names, [&check](const std::string& name) {
           return name == check.name || name == verdict::family(check.name);
         });
}

Result<> refuse_unknown(const std::vector<Check>& checks, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (std::ranges::any_of(checks, [&name](const Check& check) { return is_named(check, {name}); })) continue;
    std::vector<std::string> known;
    for (const auto& check : checks) known.push_back("'" + check.name + "'");
    return fail(ErrorCode::kUsage, fmt::format("there is no check '{}'", name),
                fmt::format("This verdict has: {}. What stands before ':' names all of its kind.", fmt::join(known, ", ")));
  }
  return {};
}

// Evidence may be somebody else's: nothing of it may steer a terminal, and no code point may be cut in half.
std::string shown(std::string line) {
  if (line.size() > kLongestLine) {
    std::size_t end = kLongestLine;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
    line = line.substr(0, end) + " ...";
  }
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return line;
}

std::string lines_of(const std::filesystem::path& directory, const events::Ref& ref) {
  std::ifstream file{directory / ref.file};
  std::string text, line;
  for (int number = 1; number <= ref.line_end && std::getline(file, line); ++number) {
    if (number < ref.line_start) continue;
    if (number - ref.line_start == kMostLines) {
      text += fmt::format("      ... to line {}\n", ref.line_end);
      break;
    }
    text += fmt::format("      {}\n", shown(line));
  }
  return text;
}

std::string evidence_of(const std::filesystem::path& directory, const Check& check) {
  std::string text;
  for (std::size_t i = 0; i < check.evidence.size(); ++i) {
    if (i == kMostRefs) {
      text += fmt::format("    and {} more, in verdict.json\n", check.evidence.size() - kMostRefs);
      break;
    }
    const auto& ref = check.evidence[i];
    text += ref.line_start == 0 ? fmt::format("    {}\n", ref.file)
                                : fmt::format("    {}:{}\n{}", ref.file, ref.line_start, lines_of(directory, ref));
  }
  return text;
}

std::string explain_check(const std::filesystem::path& directory, const Check& check) {
  std::string text = fmt::format("{}: {}\n", check.name, verdict::word(check.outcome));
  const auto add = [&text](std::string_view what, std::string_view value) {
    if (!value.empty()) text += fmt::format("  {:<9} {}\n", what, value);
  };
  add("measured", check.measured);
  add("expected", check.expected);
  add("figures", check.detail);
  add("rests on", check.rests_on);
  if (check.outcome != Outcome::kPass) {
    add("reason", fmt::format("{}: {}", verdict::name(check.reason), verdict::meaning(check.reason)));
    add("next", verdict::advice(check.reason));
  }
  if (!check.evidence.empty()) text += "  evidence\n" + evidence_of(directory, check);
  return text;
}

}  // namespace

Result<std::string> explain(const std::filesystem::path& evidence, const std::vector<std::string>& checks) {
  BROWNOUT_ASSIGN(const auto opened, Opened::open(evidence));
  BROWNOUT_ASSIGN(const auto judgement, rejudge_files(opened.directory(), std::nullopt));
  const auto& verdict = judgement.verdict;
  BROWNOUT_TRY(refuse_unknown(verdict.checks, checks));
  std::string text = fmt::format("verdict: {}\n", verdict::name(verdict.outcome));
  for (const auto& reason : verdict.reasons) text += fmt::format("reason: {}\n", reason);
  for (const auto& check : verdict.checks)
    if (is_named(check, checks)) text += "\n" + explain_check(opened.directory(), check);
  return text;
}

}  // namespace brownout::bundle
