// SPDX-License-Identifier: MIT
// A verdict in words: for each check what was measured, what was wanted, why it came out so, what to do, and the lines
// of evidence themselves.
#include <algorithm>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/text.hpp"
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
std::string shown_line(std::string line) {
  if (line.size() > kLongestLine) {
    std::size_t end = kLongestLine;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
    line = line.substr(0, end) + " ...";
  }
  return visible(line);
}

// The lines that are shown, of all checks together: a file of millions of lines is gone through once.
class ShownLines {
 public:
  void want(const events::Ref& ref) {
    for (int i = 0; i < kMostLines && ref.line_start + i <= ref.line_end; ++i) files_[ref.file][ref.line_start + i];
  }

  void read(const std::filesystem::path& directory) {
    for (auto& [name, lines] : files_) {
      std::ifstream file{directory / name};
      std::string line;
      auto wanted = lines.begin();
      for (int number = 1; wanted != lines.end() && std::getline(file, line); ++number)
        if (number == wanted->first) (wanted++)->second = shown_line(line);
    }
  }

  std::string of(const events::Ref& ref) const {
    std::string text;
    const auto& lines = files_.at(ref.file);
    for (auto line = lines.lower_bound(ref.line_start); line != lines.end() && line->first <= ref.line_end; ++line) {
      if (line->first - ref.line_start == kMostLines) break;
      text += fmt::format("      {}\n", line->second);
    }
    if (ref.line_end - ref.line_start >= kMostLines) text += fmt::format("      ... to line {}\n", ref.line_end);
    return text;
  }

 private:
  std::map<std::string, std::map<int, std::string>> files_;
};

bool names_lines(const events::Ref& ref) { return ref.line_start > 0; }

std::string evidence_of(const ShownLines& lines, const Check& check) {
  std::string text;
  for (std::size_t i = 0; i < check.evidence.size(); ++i) {
    if (i == kMostRefs) {
      text += fmt::format("    and {} more, in verdict.json\n", check.evidence.size() - kMostRefs);
      break;
    }
    const auto& ref = check.evidence[i];
    text += names_lines(ref) ? fmt::format("    {}:{}\n{}", ref.file, ref.line_start, lines.of(ref))
                             : fmt::format("    {}\n", ref.file);
  }
  return text;
}

std::string explain_check(const ShownLines& lines, const Check& check) {
  std::string text = fmt::format("{}: {}\n", visible(check.name), verdict::word(check.outcome));
  const auto add = [&text](std::string_view what, std::string_view value) {
    if (!value.empty()) text += fmt::format("  {:<9} {}\n", what, visible(value));
  };
  add("measured", check.measured);
  add("expected", check.expected);
  add("figures", check.detail);
  add("rests on", check.rests_on);
  if (check.outcome != Outcome::kPass) {
    add("reason", fmt::format("{}: {}", verdict::name(check.reason), verdict::meaning(check.reason)));
    add("next", verdict::advice(check.reason));
  }
  if (!check.evidence.empty()) text += "  evidence\n" + evidence_of(lines, check);
  return text;
}

}  // namespace

Result<std::string> explain(const std::filesystem::path& evidence, const std::vector<std::string>& checks) {
  BROWNOUT_ASSIGN(const auto opened, Opened::open(evidence));
  BROWNOUT_ASSIGN(const auto judgement, rejudge_files(opened.directory(), std::nullopt));
  const auto& verdict = judgement.verdict;
  BROWNOUT_TRY(refuse_unknown(verdict.checks, checks));
  std::string text = fmt::format("verdict: {}\n", verdict::name(verdict.outcome));
  for (const auto& reason : verdict.reasons) text += fmt::format("reason: {}\n", visible(reason));
  ShownLines lines;
  for (const auto& check : verdict.checks)
    for (std::size_t i = 0; i < std::min(kMostRefs, check.evidence.size()) && is_named(check, checks); ++i)
      if (names_lines(check.evidence[i])) lines.want(check.evidence[i]);
  lines.read(opened.directory());
  for (const auto& check : verdict.checks)
    if (is_named(check, checks)) text += "\n" + explain_check(lines, check);
  return text;
}

}  // namespace brownout::bundle
