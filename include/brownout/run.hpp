// SPDX-License-Identifier: MIT
// The drill as a whole: resolve, trace, wait for pressure, inject, drain, recover, settle, judge, seal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/bundle.hpp"
#include "brownout/journal.hpp"

namespace brownout::run {

// Of the host: which drills there were. It outlives a boot.
inline constexpr char kRunLogDirectory[] = "/var/lib/brownout";

struct DrillSource {
  std::filesystem::path file;
  std::optional<std::string> text; // instead of the file's, which is then what messages call it
  Result<drill::Drill> load() const;
};

struct Options {
  DrillSource drill;
  std::filesystem::path out_directory = ".";
  bool json = false;
  bool yes = false;
  bundle::ReportLanguage report_language = bundle::ReportLanguage::kEnglish;
  bool plain = false;  // no live view on a terminal: lines, as on a pipe
  bool colour = true;  // where there is a terminal, and NO_COLOR is not set
  bool events = false; // each of the kernel's, on stderr as it happens
  bundle::SigningOptions signing; // without a key: unsigned
  std::string timestamp;          // address of a time-stamp authority; empty: none
  std::filesystem::path run_log = kRunLogDirectory; // directory of the run log
  std::vector<std::string> command_line;
};

struct Outcome {
  ExitCode exit_code = ExitCode::kError;
  verdict::Verdict verdict;
  std::string run_id;
  bundle::Sealed sealed;
  bool has_bundle = false;
  std::string run_log_problem; // the run log does not say how this run ended
};

// Errors before anything was attached come back as Error; later ones end in a sealed bundle with verdict ERROR.
Result<Outcome> run(const Options& options);

struct PreviewOptions {
  DrillSource drill;
  std::optional<std::string> packet; // "10.0.0.2:4242 > 1.2.3.4:443 tcp": would it be hit?
};
struct Preview {
  std::string text; // for people
  nlohmann::json json;
  std::optional<Error> refusal; // run() would refuse now, with this
};
// What run() would do, found out by the same steps. Nothing is attached; what is tried on the way is undone before it
// returns. Errors are run()'s own, before anything is attached.
Result<Preview> preview(const PreviewOptions& options);

// What the guardian does, which run() starts as a process of its own: waits for the end of that process, then undoes what
// journals of the dead name. Says on stdout when it watches.
Result<> guard(std::int32_t pid, std::uint64_t start_ticks, const std::filesystem::path& journals);

// Evidence that no process has sealed: `directory` itself, or what a killed drill left in it (its --out). kNotFound when
// there is none.
Result<std::vector<std::filesystem::path>> unsealed(const std::filesystem::path& directory);
struct RecoverOptions {
  bundle::SigningOptions signing;
  std::string timestamp;
  std::filesystem::path run_log = kRunLogDirectory;
};
// Seals what there is. Never a PASS: `bundle_complete` is inconclusive, and a drill that did not come to its end is an
// ERROR. kRefused while the drill runs; the evidence stays where it is unless a bundle was written.
Result<Outcome> recover(const std::filesystem::path& evidence, const std::filesystem::path& out_directory,
                        const RecoverOptions& options = {});

// A drill that runs on this host, by the lock that it holds on its target; empty: it has not said that yet.
struct RunningDrill {
  std::string drill, target, since_utc;
  std::int32_t pid = 0;
};
// By pid. Nothing is touched: a lock whose owner is dead is `clean`'s business.
Result<std::vector<RunningDrill>> running_drills(const std::filesystem::path& locks = kernel::kJournalDirectory);

}  // namespace brownout::run
