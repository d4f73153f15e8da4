// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "commands.hpp"

namespace brownout::cli {
namespace {

// "IEB_a" of "dir/IEB_a.tar.gz" and of "dir/IEB_a/".
std::string name_of(const std::filesystem::path& evidence) {
  auto name = (evidence.has_filename() ? evidence : evidence.parent_path()).filename().string();
  if (name.ends_with(".tar.gz")) name.resize(name.size() - 7);
  return name.empty() || name.find_first_not_of('.') == std::string::npos ? "brownout" : name;
}

std::filesystem::path default_out(const std::vector<std::filesystem::path>& evidence) {
  return evidence.size() == 1 ? fmt::format("{}.report.html", name_of(evidence.front()))
                              : fmt::format("{}.against.{}.report.html", name_of(evidence[0]), name_of(evidence[1]));
}

}  // namespace

ExitCode write_report(const ReportOptions& options) {
  const auto page = bundle::html_report(options.evidence);
  if (!page) return report(page.error());
  if (options.out == "-") {
    fmt::print("{}", *page);
    return ExitCode::kPass;
  }
  const auto out = options.out.empty() ? default_out(options.evidence) : options.out;
  if (const auto written = write_file(out, *page); !written) return report(written.error());
  fmt::print("report: {}\n", out.string());
  return ExitCode::kPass;
}

}  // namespace brownout::cli
