// SPDX-License-Identifier: MIT
#include "brownout/run.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "aim.hpp"
#include "blast_radius.hpp"
#include "brownout/clock.hpp"
#include "brownout/digest.hpp"
#include "brownout/text.hpp"
#include "confirm.hpp"
#include "guardian.hpp"
#include "manifest.hpp"
#include "privileges.hpp"
#include "run_log.hpp"
#include "session.hpp"
#include "staging.hpp"
#include "target_lock.hpp"

namespace brownout::run {
namespace {

std::uint64_t draw_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

// The steps in order; false or an error ends them early.
Result<bool> drive(Session& session) {
  BROWNOUT_TRY(session.prepare());
  for (const auto step : {&Session::wait_for_pressure, &Session::baseline, &Session::inject, &Session::recover}) {
    BROWNOUT_ASSIGN(const bool go_on, (session.*step)());
    if (!go_on) return false;
  }
  return true;
}

struct Context {
  const Options& options;
  const plan::Plan& plan;
  const target::Target& target;
  const kernel::Interface& interface;
  const kernel::Means& means;
  kernel::Journal& journal;
  const Guardian& guardian;
  TargetWatch& watch;
  Staging& staging;
  const bundle::Signer* signer; // null: unsigned
  const bundle::TimestampAuthority* authority; // null: not stamped
  const Result<RunLog>& run_log;
};

std::string run_id_of(const Session& session) {
  if (session.run_directory() != nullptr) return session.run_directory()->run_id();
  return "run_" + format_utc_compact(realtime_ns());
}

bundle::Manifest manifest_of(const Context& context, const std::string& run_id, const nlohmann::json& kernel) {
  return make_manifest({.options = context.options,
                        .plan = context.plan,
                        .target = context.target,
                        .interface = context.interface,
                        .run_id = run_id,
                        .kernel = kernel});
}

Result<events::Rules> fixed_rules(const std::filesystem::path& staging) {
  events::Rules rules;
  BROWNOUT_ASSIGN(rules.drill_sha256, sha256_file(staging / "drill.yaml"));
  BROWNOUT_ASSIGN(rules.plan_sha256, sha256_file(staging / "plan.json"));
  rules.tool_sha256 = sha256_file("/proc/self/exe").value_or(std::string{});
  return rules;
}

// Before anything is attached, so that `recover` has it whatever happens to us.
Result<events::Rules> stage_beginning(const Context& context) {
  const auto& staging = context.staging.path();
  BROWNOUT_TRY(context.journal.mention(
      {{"object", "evidence"}, {"path", staging.string()}, {"drill", context.plan.drill.name}}));
  BROWNOUT_TRY(bundle::stage_plan(context.plan, staging));
  BROWNOUT_TRY(bundle::stage_manifest(manifest_of(context, "", nullptr), staging));
  return fixed_rules(staging);
}

// From here on everything comes out of the files, as it will for whoever verifies the bundle.
Result<Outcome> judge_and_seal(const Context& context, const Session& session) {
  BROWNOUT_TRY(begin_sealing());
  const auto& staging = context.staging.path();
  if (session.run_directory() != nullptr)
    BROWNOUT_TRY(bundle::copy_run_directory(*session.run_directory(), staging, drill::redactor_of(context.plan.drill)));
  BROWNOUT_ASSIGN(const auto reading, findings::read(context.plan, staging));
  const auto& [evidence, findings] = reading;
  Outcome outcome{.verdict = verdict::judge(context.plan, evidence, findings)};
  const auto run_id = run_id_of(session);
  const auto manifest = manifest_of(context, run_id, session.kernel_description());
  outcome.run_id = run_id;
  const std::int64_t now = realtime_ns();
  BROWNOUT_ASSIGN(outcome.sealed,
                  bundle::seal(staging, context.options.out_directory,
                               bundle::bundle_name(run_id, context.plan.drill.name, now), manifest, context.plan,
                               outcome.verdict, now, context.signer, context.authority));
  outcome.has_bundle = true;
  outcome.exit_code = session.ending() == events::Ending::kSignal ? ExitCode::kInterrupted
                                                                  : verdict::exit_code(outcome.verdict.outcome);
  return outcome;
}

// Nobody else says so once the guardian has cleared away what was left in the kernel.
void tell_of_unsealed(const std::filesystem::path& out_directory, Progress& progress) {
  for (const auto& directory : Staging::unsealed_in(out_directory).value_or(std::vector<std::filesystem::path>{}))
    if (Staging::take_over(directory))
      progress.note(fmt::format("unsealed, of an earlier run: brownout recover {}", directory.string()));
}

// Before the first fault, so that a drill is on the list however it ends. Where there is no list, that is said; it ends no
// drill.
Result<nlohmann::json> number_run(const Context& context, const events::Rules& rules, Progress& progress) {
  const auto begin = [&]() -> Result<nlohmann::json> {
    if (!context.run_log) return std::unexpected(context.run_log.error());
    return context.run_log->begin({.target = target_of_log(context.target),
                                   .container_id = context.target.container_id,
                                   .drill = context.plan.drill.name,
                                   .drill_sha256 = rules.drill_sha256,
                                   .plan_sha256 = rules.plan_sha256});
  };
  auto run = begin();
  if (!run) {
    progress.note("not in the run log: " + run.error().render());
    return run;
  }
  progress.note(fmt::format("run: {} of {} ({})", run->at("number").get<std::uint64_t>(),
                            visible(run->at("target").get<std::string>()), run->at("line_sha256").get<std::string>()));
  for (const auto& problem : run->at("problems"))
    progress.note(fmt::format("the run log is damaged: {}: {}", context.run_log->path().string(),
                              problem.get<std::string>()));
  return run;
}

// What becomes of the run, whatever that is.
void log_end(const Context& context, const Result<nlohmann::json>& run, Result<Outcome>& outcome, Progress& progress) {
  if (!run) return;
  const auto& line = run->at("line_sha256").get_ref<const std::string&>();
  auto ended = outcome ? log_sealed(*context.run_log, line, *outcome)
                       : context.run_log->end(line, {.unsealed = outcome.error().render()});
  if (ended) return;
  if (outcome) {
    outcome->run_log_problem = ended.error().render();
  } else {
    progress.note("not in the run log: " + ended.error().render());
  }
}

Result<Outcome> drill_and_seal(const Context& context, const events::Rules& rules, const nlohmann::json& run_log,
                               StopWatch& stop, Progress& progress) {
  BROWNOUT_ASSIGN(const auto session, Session::open({.plan = context.plan,
                                                     .target = context.target,
                                                     .interface = context.interface,
                                                     .means = context.means,
                                                     .journal = context.journal,
                                                     .guardian = context.guardian,
                                                     .staging = context.staging.path(),
                                                     .rules = rules,
                                                     .run_log = run_log,
                                                     .stop = stop,
                                                     .watch = context.watch,
                                                     .progress = progress,
                                                     .tell_events = context.options.events}));
  BROWNOUT_ASSIGN(const bool have_run_directory, session->wait_for_run_directory());
  const Result<bool> driven = have_run_directory ? drive(*session) : Result<bool>{false};
  std::optional<Error> error;
  if (!driven) {
    error = driven.error();
    progress.note("error: " + error->render());
  }
  if (auto finished = session->finish(error); !finished && !error) progress.note(finished.error().render());
  auto outcome = judge_and_seal(context, *session);
  if (!outcome) {
    context.staging.keep();
    const auto kept = context.staging.path().string();
    return std::unexpected(std::move(outcome)
                               .error()
                               .with_context("the evidence is kept, unsealed, in " + kept)
                               .with_hint("When that is mended: brownout recover " + kept));
  }
  return outcome;
}

Result<Outcome> drill(const Context& context, StopWatch& stop, Progress& progress) {
  tell_of_unsealed(context.options.out_directory, progress);
  BROWNOUT_ASSIGN(const auto rules, stage_beginning(context));
  progress.note("plan: " + rules.plan_sha256);
  const auto run = number_run(context, rules, progress);
  progress.note(fmt::format("evidence until it is sealed: {}", context.staging.path().string()));
  auto outcome = drill_and_seal(context, rules, describe_run_log(context.options.run_log / kRunLogFile, run), stop, progress);
  log_end(context, run, outcome, progress);
  return outcome;
}

}  // namespace

Result<drill::Drill> DrillSource::load() const {
  return text ? drill::parse(*text, file.string()) : drill::load(file);
}

Result<Outcome> run(const Options& options) {
  BROWNOUT_ASSIGN(auto loaded, options.drill.load());
  BROWNOUT_ASSIGN(const auto plan, plan::compile(std::move(loaded), draw_seed()));
  // While there may be the capability to make it append-only.
  const auto run_log = RunLog::open(options.run_log);
  BROWNOUT_TRY(begin_set_up());
  std::optional<bundle::Signer> signer;
  if (!options.signing.key.empty()) {
    BROWNOUT_ASSIGN(signer, bundle::Signer::open(options.signing));
  }
  std::optional<bundle::TimestampAuthority> authority;
  if (!options.timestamp.empty()) {
    BROWNOUT_ASSIGN(authority, bundle::TimestampAuthority::open(options.timestamp));
  }
  BROWNOUT_ASSIGN(const auto aim, take_aim(plan));
  const auto& [target, interface] = aim;
  BROWNOUT_TRY(refuse_bystanders(options.drill.file, plan, aim));
  BROWNOUT_ASSIGN(const auto journal, kernel::Journal::open());
  BROWNOUT_TRY(journal->mention({{"object", "lock"}, {"path", TargetLock::path_for(target).string()}}));
  BROWNOUT_ASSIGN(const auto lock, TargetLock::take(target, plan.drill.name));
  // Choosing means makes kernel objects, and undoes them.
  BROWNOUT_ASSIGN(const auto guardian, Guardian::start());
  BROWNOUT_ASSIGN(const auto means, kernel::choose_means(plan.drill.backend, plan.needs_delay_line));
  BROWNOUT_TRY(confirm(options, plan, aim, means));
  BROWNOUT_ASSIGN(auto watch, TargetWatch::start(target, interface));
  BROWNOUT_ASSIGN(auto stop, StopWatch::create(plan.drill.app ? plan.drill.app->stop_file : std::filesystem::path{}));
  BROWNOUT_ASSIGN(auto staging, Staging::make(options.out_directory));
  Progress progress(look_of(options, STDERR_FILENO));
  return drill({options, plan, target, interface, means, *journal, guardian, watch, staging, signer ? &*signer : nullptr,
                authority ? &*authority : nullptr, run_log},
               stop, progress);
}

}  // namespace brownout::run
