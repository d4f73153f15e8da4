// SPDX-License-Identifier: MIT
// The commands: data to stdout, everything else to stderr, an exit code of exit_code.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "brownout/run.hpp"

namespace brownout::cli {

ExitCode run(const run::Options& options);
ExitCode check(const std::filesystem::path& drill);
// Usage, after all has been printed, when run would refuse now.
ExitCode plan(const run::PreviewOptions& options, bool json);
ExitCode doctor(bool json);
ExitCode clean();
// Of several bundles also whether any run between them is missing.
ExitCode verify(const std::vector<std::filesystem::path>& archives, const bundle::VerifyOptions& options);

struct JudgeOptions {
  std::filesystem::path evidence;
  std::filesystem::path drill;  // empty: the recorded one
  bool json = false;
};
ExitCode judge(const JudgeOptions& options);
// 0 when all that was found is sealed now, whatever its verdict.
ExitCode recover(const std::filesystem::path& evidence, const std::filesystem::path& out_directory,
                 const run::RecoverOptions& options);
// What a killed run left on this host is inert, but in the way: each command that finds it undoes it first, if it may.
void undo_leftovers();
ExitCode ps(bool json);
// For commands that only read what others wrote: any file, and no more.
ExitCode give_up_privileges();
// `guard`, which run starts by itself.
ExitCode guard(std::int32_t pid, std::uint64_t start_ticks, const std::filesystem::path& journals);
// `list-programs`, likewise.
ExitCode list_programs(const std::string& host_device, const std::string& cgroup);
struct ReportOptions {
  std::vector<std::filesystem::path> evidence; // one, or two to compare
  std::filesystem::path out;                   // empty: NAME.report.html here; "-": stdout
  bool markdown = false;                       // of one only
  std::optional<bundle::ReportLanguage> language; // of the headings; none: as recorded
};
ExitCode write_report(const ReportOptions& options);
struct ExportOptions {
  std::string format;           // one of bundle::kExportFormats
  std::filesystem::path evidence;
  std::filesystem::path out;    // empty: stdout
};
ExitCode export_to(const ExportOptions& options);
ExitCode explain(const std::filesystem::path& evidence, const std::vector<std::string>& checks);

// What a command printed is where it belongs, or why it is not.
Result<> flush_stdout();
// Prints the error; the exit code that goes with it.
ExitCode report(const Error& error);

}  // namespace brownout::cli
