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

std::filesystem::path default_out(const ReportOptions& options) {
  const auto& evidence = options.evidence;
  return evidence.size() == 1 ? fmt::format("{}.report.{}", name_of(evidence.front()), options.markdown ? "md" : "html")
                              : fmt::format("{}.against.{}.report.html", name_of(evidence[0]), name_of(evidence[1]));
}

Result<std::string> rendered(const ReportOptions& options) {
  if (!options.markdown) return bundle::html_report(options.evidence);
  if (options.evidence.size() > 1)
    return fail(ErrorCode::kUsage, "--markdown is of one bundle", "Two side by side are a page: leave --markdown out.");
  return bundle::markdown_report(options.evidence.front(), options.language);
}

}  // namespace

ExitCode write_report(const ReportOptions& options) {
  const auto page = rendered(options);
  if (!page) return report(page.error());
  if (options.out == "-") {
    fmt::print("{}", *page);
    return ExitCode::kPass;
  }
  const auto out = options.out.empty() ? default_out(options) : options.out;
  if (const auto written = write_file(out, *page); !written) return report(written.error());
  fmt::print("report: {}\n", out.string());
  return ExitCode::kPass;
}

}  // namespace brownout::cli
