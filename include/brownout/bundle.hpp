// SPDX-License-Identifier: MIT
// Stage 8. Evidence on disk -> one archive that tar and sha256sum check, and back.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/signing.hpp"
#include "brownout/timestamp.hpp"
#include "brownout/verdict.hpp"

namespace brownout::bundle {

// What the manifest says beside the evidence.
struct Manifest {
  nlohmann::json json; // tool, host, command line, kernel, target, windows, clocks, programs, labels
};

// "IEB_<run_id>_<name>_<YYYYMMDD_HHMMSS>"
std::string bundle_name(const std::string& run_id, const std::string& drill_name, std::int64_t realtime_ns);

// Writes drill.yaml, plan.json and the drill's table files.
Result<> stage_plan(const plan::Plan& plan, const std::filesystem::path& staging);

// Before anything is attached, with what is known by then: for `recover`, should it not come to sealing.
Result<> stage_manifest(const Manifest& manifest, const std::filesystem::path& staging);
// That, of a process that ended without sealing; what it had half written or derived is removed. kNotFound when it ended
// before it had staged its plan and manifest, and so before anything was attached.
Result<Manifest> reopen_staging(const std::filesystem::path& staging);

struct Sealed {
  std::filesystem::path archive;
  std::string sha256;
  std::uint64_t size = 0;
  std::string chain_head;         // of chain.jsonl
  std::string signed_by;          // "ED25519 SHA256:..."; empty: unsigned
  std::string not_signed_because; // the signer failed: what was recorded is sealed without it
  std::string not_stamped_because; // likewise of a time-stamp authority
};
// Takes the staging directory as it is (drill.yaml, plan.json, the evidence files, run_dir/...), adds manifest.json,
// verdict.json, report.md, report.html, time_series.jsonl, FILELIST.ls.txt and SHA256SUMS.txt, has that signed, and
// writes DIR/NAME.tar.gz, DIR/NAME.tar.gz.sha256 and DIR/NAME.report.txt, or none of them. kRefused for rules (drill, plan) that are not those which the chain
// begins with.
// Same inputs, same bytes: sorted members, fixed owner and mode, `realtime_ns` as every mtime.
Result<Sealed> seal(const std::filesystem::path& staging, const std::filesystem::path& out_directory,
                    const std::string& name, const Manifest& manifest, const plan::Plan& plan,
                    const verdict::Verdict& verdict, std::int64_t realtime_ns, const Signer* signer = nullptr,
                    const TimestampAuthority* authority = nullptr);

// Copies the files of the run directory into staging/run_dir/, redacted, never following links out of it. What cannot be read
// as text is left out.
Result<> copy_run_directory(const events::RunDirectory& directory, const std::filesystem::path& staging,
                            const Redactor& redactor = {});
// By the rules of the drill that was staged.
Result<Redactor> staged_redactor(const std::filesystem::path& staging);

struct VerifyOptions {
  bool require_signature = false;
  std::filesystem::path allowed_signers; // of ssh-keygen; empty: nobody is known. Who names one wants a signature
  std::filesystem::path timestamp;       // an answer of an authority about the archive itself; empty: none
  std::filesystem::path timestamp_ca;    // PEM, whom such answers are believed of. Who names it wants a time stamp
};
struct Verification {
  bool ok = false;
  std::vector<std::string> problems;
  std::vector<std::string> held;   // "chain: ..."
  std::vector<std::string> origin; // "NOT PROVEN (unsigned)"
  verdict::Verdict recomputed;
  std::string sha256;      // of the archive
  nlohmann::json manifest; // null: it could not be read
};
// Refuses links, absolute or climbing paths, duplicate and unlisted members; checks every hash; compiles drill.yaml,
// loads the evidence, judges again and compares with verdict.json. An Error only when the archive cannot be read.
Result<Verification> verify(const std::filesystem::path& archive, const VerifyOptions& options = {});

// Bundles that verified, as runs of a target in the run log of their host: which of them are not among those that were
// given, and whether each one names the one before as it is.
struct Runs {
  std::vector<std::string> says;     // "runs of docker exchange-bot: 3, 5"
  std::vector<std::string> problems;
};
struct Given {
  std::string name; // as it was given
  std::string sha256;
  nlohmann::json manifest;
};
Runs compare_runs(const std::vector<Given>& bundles);

// Recorded evidence, judged again by the recorded drill or by another. Neither hashes nor lists are looked at: that is
// verify's. Of an archive, hostile members are an Error of kFormat.
struct Judgement {
  plan::Plan plan;                   // by which it was judged
  events::Evidence evidence;
  findings::Findings findings;
  verdict::Verdict verdict;
  std::string drill_sha256, recorded_drill_sha256; // differ when judged by another drill
  std::string sealed_verdict;        // "PASS", of verdict.json; empty: nothing was sealed there
};
// `evidence`: a directory (of an opened bundle, or evidence that was never sealed) or IEB_*.tar.gz.
Result<Judgement> rejudge(const std::filesystem::path& evidence, const std::optional<std::filesystem::path>& drill);

// Why, check by check, down to the lines of evidence; of `checks` (names, or what stands before ':') or, when empty, of
// all. kUsage for a name that no check has, with those there are.
Result<std::string> explain(const std::filesystem::path& evidence, const std::vector<std::string>& checks);

// report.html of one bundle, or one page of two side by side; each is judged again as rejudge() does it.
Result<std::string> html_report(const std::vector<std::filesystem::path>& evidence);

// Of the headings of report.md; its text is English in all.
enum class ReportLanguage : std::uint8_t {
  kEnglish,
  kChinese, // both: "What happened / 发生了什么"
};
inline constexpr std::array<std::string_view, 2> kReportLanguages{"en", "zh"};
// Where the manifest has it. Written only when it is not English.
inline constexpr const char* kReportLanguageKey = "report_language";
std::optional<ReportLanguage> report_language(std::string_view word);
std::string_view word(ReportLanguage language);
ReportLanguage report_language_of(const nlohmann::json& manifest);

// report.md. Without a language in the one that the manifest names, which is what `verify` compares.
std::string render_report(const plan::Plan& plan, const events::Evidence& evidence,
                          const findings::Findings& findings, const verdict::Verdict& verdict,
                          const nlohmann::json& manifest, std::optional<ReportLanguage> language = std::nullopt);
// The same, judged again as rejudge() does it.
Result<std::string> markdown_report(const std::filesystem::path& evidence, std::optional<ReportLanguage> language);

}  // namespace brownout::bundle
