// SPDX-License-Identifier: MIT
#include "commands.hpp"

#include <cerrno>
#include <cstdio>
#include <functional>
#include <system_error>

#include <fcntl.h>
#include <stdio_ext.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/capabilities.hpp"
#include "brownout/export.hpp"
#include "brownout/fd.hpp"
#include "brownout/host_state.hpp"
#include "brownout/journal.hpp"
#include "brownout/system_calls.hpp"
#include "brownout/tell.hpp"
#include "brownout/text.hpp"

namespace brownout::cli {
namespace {

// In ASCII: what an app or a bundle's author wrote is in it.
void print_json(const nlohmann::json& result) {
  fmt::print("{}\n", result.dump(2, ' ', true, nlohmann::json::error_handler_t::replace));
}

void print_json(const run::Outcome& outcome) {
  nlohmann::json result = verdict::to_json(outcome.verdict);
  result["bundle"] = outcome.sealed.archive.string();
  result["sha256"] = outcome.sealed.sha256;
  result["chain"] = outcome.sealed.chain_head;
  result["signed_by"] = outcome.sealed.signed_by.empty() ? nlohmann::json() : nlohmann::json(outcome.sealed.signed_by);
  print_json(result);
}

bool may_colour(bool wanted = true) {
  return wanted && !colour_refused() && ::isatty(STDOUT_FILENO) == 1;
}

void print_text(const run::Outcome& outcome, bool colour = true) {
  fmt::print("{}\n", verdict::render_table(outcome.verdict, may_colour(colour)));
  fmt::print("verdict: {}\n", verdict::name(outcome.verdict.outcome));
  for (const auto& reason : outcome.verdict.reasons) fmt::print("reason: {}\n", visible(reason));
  if (!outcome.sealed.signed_by.empty()) fmt::print("signed: {}\n", outcome.sealed.signed_by);
  fmt::print("chain: {}\nbundle: {}\nsha256: {}\n", outcome.sealed.chain_head,
             visible(outcome.sealed.archive.string()), outcome.sealed.sha256);
}

// What was asked for, and the bundle has to do without.
void tell_of_what_failed(const run::Outcome& outcome) {
  if (!outcome.sealed.not_signed_because.empty())
    tell(fmt::format("the bundle is NOT SIGNED: {}\n", outcome.sealed.not_signed_because));
  if (!outcome.sealed.not_stamped_because.empty())
    tell(fmt::format("the bundle has NO TIME STAMP: {}\n", outcome.sealed.not_stamped_because));
  if (!outcome.run_log_problem.empty())
    tell(fmt::format("the run log does not say how this run ended: {}\n", outcome.run_log_problem));
}

// Whoever leaves early (`| head`) wanted no more of it.
Result<> to_stdout(const std::function<void()>& print) {
  int refusal = 0;
  try {
    print();
    if (std::fflush(stdout) != 0) refusal = errno;
  } catch (const std::system_error& error) {
    refusal = error.code().value();
  }
  if (refusal == 0 || refusal == EPIPE) return {};
  ::__fpurge(stdout); // said once, and not tried again at the end
  return fail_errno(ErrorCode::kIo, refusal, "write the result to stdout", "Is the disk that it was sent to full, or gone?");
}

Result<> keep_nothing_but_reading() {
  BROWNOUT_TRY(keep_only({CAP_DAC_READ_SEARCH}));
  BROWNOUT_TRY(forbid_new_privileges());
  BROWNOUT_TRY(filter_system_calls());
  return {};
}

bool all_required(const std::vector<kernel::Capability>& capabilities) {
  for (const auto& capability : capabilities)
    if (capability.required && !capability.present) return false;
  return true;
}

// For anybody else the journals are closed, and what they name is out of reach.
bool may_clean() {
  const auto effective = effective_capabilities();
  return effective && CapabilitySet{CAP_SYS_ADMIN, CAP_NET_ADMIN}.without(*effective).empty() &&
         ::faccessat(AT_FDCWD, kernel::kJournalDirectory, W_OK | X_OK, AT_EACCESS) == 0;
}

// What `run` will do here: the same question to the same code.
Result<kernel::Means> means_here() { return kernel::choose_means(drill::Backend::kAuto, true); }

void print_doctor_json(const std::vector<kernel::Capability>& capabilities) {
  auto list = nlohmann::json::array();
  for (const auto& capability : capabilities)
    list.push_back({{"name", capability.name},
                    {"present", capability.present},
                    {"required", capability.required},
                    {"detail", capability.detail},
                    {"lost", capability.lost}});
  nlohmann::json result{{"capabilities", list}, {"ready", all_required(capabilities)}};
  const auto means = means_here();
  result["means"] = means ? to_json(*means) : nlohmann::json{{"refused", means.error().render()}};
  fmt::print("{}\n", result.dump(2));
}

void print_doctor_text(const std::vector<kernel::Capability>& capabilities) {
  for (const auto& capability : capabilities) {
    fmt::print("{:8} {:28} {}\n", capability.present ? "yes" : capability.required ? "MISSING" : "no",
               capability.name, capability.detail);
    if (!capability.present && !capability.lost.empty()) fmt::print("{:8} -> {}\n", "", capability.lost);
  }
  if (const auto means = means_here()) {
    fmt::print("\nhooks:   {} ({})\n", kernel::name(means->hook), means->hook_reason);
    fmt::print("latency: {} ({})\n", drill::backend_name(*means->backend), means->backend_reason);
  } else {
    fmt::print("\nno drill can hang its faults anywhere here: {}\n", means.error().render());
  }
  fmt::print("{}\n", all_required(capabilities) ? "ready: a drill can run here" : "not ready: see MISSING");
}

}  // namespace

ExitCode report(const Error& error) {
  tell(fmt::format("brownout: {}\n", error.render()));
  switch (error.code) {
    case ErrorCode::kUsage:
    case ErrorCode::kInvalidDrill:
    case ErrorCode::kNotFound:
    case ErrorCode::kAmbiguous:
    case ErrorCode::kRefused: return ExitCode::kUsage;
    case ErrorCode::kInterrupted: return ExitCode::kInterrupted;
    default: return ExitCode::kError;
  }
}

ExitCode run(const run::Options& options) {
  const auto outcome = run::run(options);
  if (!outcome) return report(outcome.error());
  const auto printed = to_stdout([&] { options.json ? print_json(*outcome) : print_text(*outcome, options.colour); });
  tell_of_what_failed(*outcome);
  if (printed) return outcome->exit_code;
  // All that was to be read there is in the bundle: where that is must not be lost, too.
  tell(fmt::format("bundle: {}\nsha256: {}\n", visible(outcome->sealed.archive.string()), outcome->sealed.sha256));
  return report(printed.error());
}

Result<> flush_stdout() {
  return to_stdout([] {});
}

ExitCode check(const std::filesystem::path& path) {
  auto drill = drill::load(path);
  if (!drill) return report(drill.error());
  const auto plan = plan::compile(std::move(*drill), 0);
  if (!plan) return report(plan.error());
  fmt::print("{}\n", plan::to_json(*plan).dump(2));
  return ExitCode::kPass;
}

ExitCode plan(const run::PreviewOptions& options, bool json) {
  const auto preview = run::preview(options);
  if (!preview) return report(preview.error());
  json ? print_json(preview->json) : fmt::print("{}", preview->text);
  return preview->refusal ? report(*preview->refusal) : ExitCode::kPass;
}

ExitCode doctor(bool json) {
  const auto capabilities = kernel::probe();
  json ? print_doctor_json(capabilities) : print_doctor_text(capabilities);
  return all_required(capabilities) ? ExitCode::kPass : ExitCode::kError;
}

ExitCode ps(bool json) {
  const auto running = run::running_drills();
  if (!running) return report(running.error());
  if (json) {
    auto all = nlohmann::json::array();
    for (const auto& drill : *running)
      all.push_back({{"drill", drill.drill}, {"target", drill.target}, {"pid", drill.pid}, {"since_utc", drill.since_utc}});
    fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return ExitCode::kPass;
  }
  if (running->empty()) fmt::print("no drill runs on this host\n");
  for (const auto& drill : *running)
    fmt::print("{} on {}, pid {}, since {}\n", visible(drill.drill), visible(drill.target), drill.pid, visible(drill.since_utc));
  return ExitCode::kPass;
}

ExitCode clean() {
  const auto report = kernel::clean();
  if (!report) return cli::report(report.error());
  for (const auto& what : report->undone) fmt::print("undone: {}\n", what);
  for (const auto& what : report->left_alone) fmt::print("left alone: {}\n", what);
  for (const auto& what : report->failed) fmt::print("failed: {}\n", what);
  for (const auto& where : report->unsealed) fmt::print("unsealed evidence: brownout recover {}\n", where);
  if (report->undone.empty() && report->left_alone.empty() && report->failed.empty()) fmt::print("nothing to undo\n");
  return report->failed.empty() ? ExitCode::kPass : ExitCode::kError;
}

void undo_leftovers() {
  if (!may_clean()) return;
  const auto report = kernel::clean();
  if (!report) return static_cast<void>(cli::report(report.error()));
  for (const auto& what : report->undone) tell(fmt::format("undone, left by an earlier run: {}\n", what));
  for (const auto& what : report->failed)
    tell(fmt::format("left by an earlier run, and could not be undone: {}\n", what));
  for (const auto& where : report->unsealed)
    tell(fmt::format("unsealed, of an earlier run: brownout recover {}\n", where));
}

ExitCode give_up_privileges() {
  const auto given_up = keep_nothing_but_reading();
  return given_up ? ExitCode::kPass : report(given_up.error());
}

ExitCode guard(std::int32_t pid, std::uint64_t start_ticks, const std::filesystem::path& journals) {
  const auto guarded = run::guard(pid, start_ticks, journals);
  return guarded ? ExitCode::kPass : report(guarded.error());
}

ExitCode list_programs(const std::string& host_device, const std::string& cgroup) {
  const auto listed = kernel::list_programs(host_device, cgroup);
  return listed ? ExitCode::kPass : report(listed.error());
}

ExitCode recover(const std::filesystem::path& evidence, const std::filesystem::path& out_directory,
                 const run::RecoverOptions& options) {
  const auto found = run::unsealed(evidence);
  if (!found) return report(found.error());
  ExitCode code = ExitCode::kPass;
  for (const auto& directory : *found) {
    const auto sealed =
        run::recover(directory, out_directory.empty() ? directory.parent_path() : out_directory, options);
    if (sealed) {
      print_text(*sealed);
      tell_of_what_failed(*sealed);
    } else {
      code = report(sealed.error());
    }
  }
  return code;
}

ExitCode judge(const JudgeOptions& options) {
  const auto judged = bundle::rejudge(
      options.evidence, options.drill.empty() ? std::nullopt : std::optional{options.drill});
  if (!judged) return report(judged.error());
  const auto& verdict = judged->verdict;
  const bool other_rules = judged->drill_sha256 != judged->recorded_drill_sha256;
  if (options.json) {
    auto result = verdict::to_json(verdict);
    result["drill_sha256"] = judged->drill_sha256;
    result["recorded_drill_sha256"] = judged->recorded_drill_sha256;
    result["sealed_verdict"] = judged->sealed_verdict.empty() ? nlohmann::json() : nlohmann::json(judged->sealed_verdict);
    print_json(result);
  } else {
    fmt::print("{}\n", verdict::render_table(verdict, may_colour()));
    fmt::print("verdict: {}\n", verdict::name(verdict.outcome));
    for (const auto& reason : verdict.reasons) fmt::print("reason: {}\n", visible(reason));
  }
  if (other_rules)
    tell(fmt::format("judged by other rules than those fixed before the drill: drill {}, recorded {}\n",
                     judged->drill_sha256, judged->recorded_drill_sha256));
  if (!judged->sealed_verdict.empty() && judged->sealed_verdict != verdict::name(verdict.outcome))
    tell(fmt::format("sealed was: {}\n", visible(judged->sealed_verdict)));
  return verdict::exit_code(verdict.outcome);
}

ExitCode explain(const std::filesystem::path& evidence, const std::vector<std::string>& checks) {
  const auto text = bundle::explain(evidence, checks);
  if (!text) return report(text.error());
  fmt::print("{}", *text);
  return ExitCode::kPass;
}

ExitCode export_to(const ExportOptions& options) {
  const auto format = bundle::export_format(options.format);
  if (!format)
    return report(fail(ErrorCode::kUsage, fmt::format("'{}' is not a format to export to", visible(options.format)),
                       fmt::format("One of: {}.", fmt::join(bundle::kExportFormats, ", ")))
                      .error());
  if (!bundle::is_text(*format) && options.out.empty() && ::isatty(STDOUT_FILENO) == 1)
    return report(fail(ErrorCode::kUsage, fmt::format("{} is no text for a terminal", options.format),
                       "Name a file: --out FILE.")
                      .error());
  const auto text = bundle::export_evidence(options.evidence, *format);
  if (!text) return report(text.error());
  if (options.out.empty()) {
    std::fwrite(text->data(), 1, text->size(), stdout);
    return ExitCode::kPass;
  }
  const auto written = write_file(options.out, *text);
  return written ? ExitCode::kPass : report(written.error());
}

}  // namespace brownout::cli
