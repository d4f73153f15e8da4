// SPDX-License-Identifier: MIT
#include <csignal>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/export.hpp"
#include "brownout/tell.hpp"
#include "commands.hpp"
#include "inject.hpp"
#include "version.hpp"

namespace {

// "--sign $KEY" without a KEY shall not be taken for "unsigned".
std::string named(const std::string& text) { return text.empty() ? "a file must be named" : ""; }

void add_signing(CLI::App* command, brownout::bundle::SigningOptions& signing) {
  auto* key = command->add_option("--sign", signing.key,
                                  "sign the bundle: an OpenSSH private key, or the public one of a key in the agent")
                  ->check(named);
  command->add_option("--attest", signing.attestation_key,
                      "attest the verdict with this private key (PEM); default: the one of --sign, if it is PEM")
      ->check(named)
      ->needs(key);
}

void add_language(CLI::App* command, const std::string& description,
                  const std::function<void(brownout::bundle::ReportLanguage)>& choose) {
  command->add_option_function<std::string>(
             "--lang", [choose](const std::string& word) { choose(*brownout::bundle::report_language(word)); }, description)
      ->check(CLI::IsMember(std::vector<std::string>(brownout::bundle::kReportLanguages.begin(),
                                                     brownout::bundle::kReportLanguages.end())));
}

void add_witnesses(CLI::App* command, std::string& timestamp, std::filesystem::path& run_log) {
  command->add_option("--timestamp", timestamp, "have the bundle's digests stamped by the RFC 3161 authority at this URL")
      ->check(named);
  command->add_option("--run-log", run_log, "directory of the host's run log")
      ->check(named)
      ->envname("BROWNOUT_RUN_LOG")
      ->capture_default_str();
}

void add_running(CLI::App* command, brownout::run::Options& options) {
  command->add_option("--out", options.out_directory, "directory for the bundle")->capture_default_str();
  add_signing(command, options.signing);
  add_witnesses(command, options.timestamp, options.run_log);
  command->add_flag("--json", options.json, "print one JSON object instead of text");
  command->add_flag("--yes", options.yes, "do not ask for confirmation");
  add_language(command, "headings of report.md: en, or zh for English and Chinese; default: en",
               [&options](brownout::bundle::ReportLanguage language) { options.report_language = language; });
  command->add_flag("--events", options.events, "print the kernel's events as they happen, to stderr");
  command->add_flag("--plain,--no-live", options.plain, "no live view on a terminal: lines, as on a pipe");
  command->add_flag("!--no-color", options.colour, "no colours; nor are there any with NO_COLOR in the environment");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace brownout;
  CLI::App app{"brownout: degrade one container's network from the host, and prove what happened"};
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("brownout {} ({}{})", version::kVersion,
                                                std::string_view{version::kCommit}.substr(0, 12),
                                                version::kDirty ? ", dirty" : ""));

  run::Options options;
  options.command_line.assign(argv, argv + argc);
  auto* run_command = app.add_subcommand("run", "run a drill: degrade, record, judge, seal");
  run_command->add_option("drill", options.drill.file, "drill file (YAML, docs/drill.md)")->required();
  add_running(run_command, options);

  cli::InjectOptions injecting;
  auto* inject_command = app.add_subcommand("inject", "run a drill without a file, of what stands here; --print-drill writes the file");
  cli::add_ad_hoc(inject_command, injecting);
  add_running(inject_command, options);

  std::filesystem::path drill;
  auto* check_command = app.add_subcommand("check", "check a drill file and print its plan; touches nothing");
  check_command->add_option("drill", drill, "drill file")->required();

  run::PreviewOptions previewing;
  bool plan_json = false;
  auto* plan_command = app.add_subcommand("plan", "what run would do here and now: whom it hits, what it makes; attaches nothing");
  plan_command->add_option("drill", previewing.drill.file, "drill file")->required();
  plan_command->add_flag("--json", plan_json, "print one JSON object instead of text");
  plan_command->add_option("--explain-packet", previewing.packet,
                           "which faults would hit that packet: '10.0.0.2:4242 > 1.2.3.4:443 tcp'");

  bool doctor_json = false;
  auto* doctor_command = app.add_subcommand("doctor", "what this machine can do, each thing tried and undone");
  doctor_command->add_flag("--json", doctor_json, "print JSON");

  bool ps_json = false;
  auto* ps_command = app.add_subcommand("ps", "drills that run on this host, and on what");
  ps_command->add_flag("--json", ps_json, "print JSON");

  auto* clean_command = app.add_subcommand("clean", "undo what a killed brownout left on this host, and nothing else");

  std::filesystem::path unsealed, recovered;
  auto* recover_command = app.add_subcommand("recover", "seal what a killed drill had recorded, as a partial bundle");
  recover_command->add_option("directory", unsealed, "unsealed evidence, or the --out it was left in")->required();
  recover_command->add_option("--out", recovered, "directory for the bundle; default: beside the evidence");

  run::RecoverOptions recovering;
  add_signing(recover_command, recovering.signing);
  add_witnesses(recover_command, recovering.timestamp, recovering.run_log);

  std::int32_t guarded = 0;
  std::uint64_t guarded_since = 0;
  std::filesystem::path journals;
  // Of no use to people: not listed.
  auto* guard_command = app.add_subcommand("guard", "wait for the end of a brownout, then undo what it left")->group("");
  guard_command->add_option("pid", guarded)->required();
  guard_command->add_option("started", guarded_since, "in clock ticks since boot")->required();
  guard_command->add_option("journals", journals)->required();

  std::string listed_device, listed_cgroup;
  auto* list_command = app.add_subcommand("list-programs", "run bpftool whenever stdout asks for it")->group("");
  list_command->add_option("device", listed_device)->required();
  list_command->add_option("cgroup", listed_cgroup);

  std::vector<std::filesystem::path> archives;
  bundle::VerifyOptions verifying;
  auto* verify_command = app.add_subcommand("verify", "check bundles: hashes, origin, whether verdicts follow, and whether a run is missing");
  verify_command->add_option("bundle", archives, "IEB_*.tar.gz; of several also which runs of their targets are missing")->required();
  verify_command->add_flag("--require-signature", verifying.require_signature, "refuse an unsigned bundle");
  verify_command->add_option("--allowed-signers", verifying.allowed_signers,
                             "refuse one that nobody of this file of ssh-keygen's signed")
      ->check(named);
  verify_command->add_option("--timestamp", verifying.timestamp, "an RFC 3161 answer about the archive itself")->check(named);
  verify_command->add_option("--timestamp-ca", verifying.timestamp_ca,
                             "refuse one that no time-stamp authority of these certificates (PEM) stamped")
      ->check(named);

  cli::JudgeOptions judging;
  auto* judge_command = app.add_subcommand("judge", "judge recorded evidence again; needs no privilege");
  judge_command->add_option("evidence", judging.evidence, "a bundle, or a directory of one")->required();
  judge_command->add_option("--drill", judging.drill, "by these rules instead of the recorded ones");
  judge_command->add_flag("--json", judging.json, "print one JSON object instead of text");

  cli::ReportOptions reporting;
  auto* report_command = app.add_subcommand("report", "one page to look at, without a network; of two bundles: side by side");
  report_command->add_option("evidence", reporting.evidence, "a bundle, or a directory of one")->required()->expected(1, 2);
  report_command->add_option("--out", reporting.out, "file to write, - for stdout; default: NAME.report.html (.md) here");
  auto* markdown = report_command->add_flag("--markdown", reporting.markdown, "of one bundle, report.md instead of the page");
  add_language(report_command, "its headings: en, or zh for English and Chinese; default: as recorded",
               [&reporting](bundle::ReportLanguage language) { reporting.language = language; });
  report_command->get_option("--lang")->needs(markdown);

  std::filesystem::path explained;
  std::vector<std::string> checks;
  auto* explain_command = app.add_subcommand("explain", "why a verdict is what it is, down to the lines of evidence");
  explain_command->add_option("evidence", explained, "a bundle, or a directory of one")->required();
  explain_command->add_option("check", checks, "only these checks, by name");

  cli::ExportOptions exporting;
  auto* export_command = app.add_subcommand("export", "judged evidence in the format of another tool");
  export_command->add_option("format", exporting.format, fmt::format("{}", fmt::join(bundle::kExportFormats, ", ")))->required();
  export_command->add_option("evidence", exporting.evidence, "a bundle, or a directory of one")->required();
  export_command->add_option("--out", exporting.out, "file to write; default: stdout");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  const auto chosen = [&] {
    if (!*guard_command && !*list_command && !*clean_command) cli::undo_leftovers();
    if (*check_command || *verify_command || *judge_command || *explain_command || *report_command || *export_command)
      if (const auto failed = cli::give_up_privileges(); failed != ExitCode::kPass) return failed;
    if (*run_command) return cli::run(options);
    if (*inject_command) return cli::inject(injecting, options);
    if (*check_command) return cli::check(drill);
    if (*plan_command) return cli::plan(previewing, plan_json);
    if (*doctor_command) return cli::doctor(doctor_json);
    if (*ps_command) return cli::ps(ps_json);
    if (*clean_command) return cli::clean();
    if (*recover_command) return cli::recover(unsealed, recovered, recovering);
    if (*guard_command) return cli::guard(guarded, guarded_since, journals);
    if (*list_command) return cli::list_programs(listed_device, listed_cgroup);
    if (*verify_command) return cli::verify(archives, verifying);
    if (*judge_command) return cli::judge(judging);
    if (*report_command) return cli::write_report(reporting);
    if (*export_command) return cli::export_to(exporting);
    return cli::explain(explained, checks);
  };
  // Where nobody reads what is printed (`| head`, a terminal that went), a drill still comes to its end.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto code = chosen();
    const auto printed = cli::flush_stdout();
    return static_cast<int>(printed ? code : cli::report(printed.error()));
  } catch (const std::exception& error) {  // of a library, or stdout cannot be written; all of ours is gone by now
    tell(fmt::format("brownout: {}\n", error.what()));
    return static_cast<int>(ExitCode::kError);
  }
}
