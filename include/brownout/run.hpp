// SPDX-License-Identifier: MIT
// The drill as a whole: resolve, trace, wait for pressure, inject, drain, recover, settle, judge, seal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/bundle.hpp"

namespace brownout::run {

struct Options {
  std::filesystem::path drill;
  std::filesystem::path out_directory = ".";
  bool json = false;
  bool yes = false;
  bundle::ReportLanguage report_language = bundle::ReportLanguage::kEnglish;
  bundle::SigningOptions signing; // without a key: unsigned
  std::vector<std::string> command_line;
};

struct Outcome {
  ExitCode exit_code = ExitCode::kError;
  verdict::Verdict verdict;
  bundle::Sealed sealed;
  bool has_bundle = false;
};

// Errors before anything was attached come back as Error; later ones end in a sealed bundle with verdict ERROR.
Result<Outcome> run(const Options& options);

// What the guardian does, which run() starts as a process of its own: waits for the end of that process, then undoes what
// journals of the dead name. Says on stdout when it watches.
Result<> guard(std::int32_t pid, std::uint64_t start_ticks, const std::filesystem::path& journals);

// Evidence that no process has sealed: `directory` itself, or what a killed drill left in it (its --out). kNotFound when
// there is none.
Result<std::vector<std::filesystem::path>> unsealed(const std::filesystem::path& directory);
// Seals what there is. Never a PASS: `bundle_complete` is inconclusive, and a drill that did not come to its end is an
// ERROR. kRefused while the drill runs; the evidence stays where it is unless a bundle was written.
Result<Outcome> recover(const std::filesystem::path& evidence, const std::filesystem::path& out_directory,
                        const bundle::SigningOptions& signing = {});

}  // namespace brownout::run
