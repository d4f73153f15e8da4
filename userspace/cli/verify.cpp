// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "brownout/text.hpp"
#include "commands.hpp"

namespace brownout::cli {
namespace {

void print(const bundle::Verification& verification) {
  for (const auto& problem : verification.problems) fmt::print("refused: {}\n", problem);
  for (const auto& what : verification.held) fmt::print("held: {}\n", what);
  for (const auto& what : verification.origin) fmt::print("origin: {}\n", what);
  if (verification.ok)
    fmt::print("verified: every file matches its hash, and the verdict follows from the evidence\nverdict: {}\n",
               verdict::name(verification.recomputed.outcome));
}

// Whether that is all there is.
ExitCode compare(const std::vector<bundle::Given>& bundles) {
  const auto runs = bundle::compare_runs(bundles);
  for (const auto& problem : runs.problems) fmt::print("refused: {}\n", problem);
  for (const auto& what : runs.says) fmt::print("{}\n", what);
  if (!runs.problems.empty()) return ExitCode::kFail;
  fmt::print("verified: no run is missing between these\n");
  return ExitCode::kPass;
}

}  // namespace

ExitCode verify(const std::vector<std::filesystem::path>& archives, const bundle::VerifyOptions& options) {
  if (archives.size() > 1 && !options.timestamp.empty())
    return report(fail(ErrorCode::kUsage, "--timestamp is of one archive, and several are given").error());
  std::vector<bundle::Given> verified;
  for (const auto& archive : archives) {
    if (archives.size() > 1) fmt::print("bundle: {}\n", visible(archive.string()));
    const auto verification = bundle::verify(archive, options);
    if (!verification) return report(verification.error());
    print(*verification);
    if (verification->ok) verified.push_back({archive.filename().string(), verification->sha256, verification->manifest});
  }
  if (verified.size() < archives.size()) {
    // What one that is refused says of its run is worth nothing.
    if (archives.size() > 1) fmt::print("refused: whether a run is missing is not looked at, while a bundle is refused\n");
    return ExitCode::kFail;
  }
  return archives.size() == 1 ? ExitCode::kPass : compare(verified);
}

}  // namespace brownout::cli
