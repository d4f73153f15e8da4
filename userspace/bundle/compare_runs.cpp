// SPDX-License-Identifier: MIT
// Several bundles of one host: whether they are all there are.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/bundle.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/text.hpp"
#include "run_log.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

struct Placed {
  const Given* bundle = nullptr;
  NumberedRun run;
};

std::string host_of(const json& manifest) {
  const auto host = text_at(manifest, "/host/hostname");
  return host.empty() ? "?" : host;
}

class RunsOfTarget {
 public:
  RunsOfTarget(std::vector<Placed> runs, Runs& found) : runs_(std::move(runs)), found_(found) {
    std::ranges::stable_sort(runs_, {}, [](const Placed& one) { return one.run.number; });
  }

  void look() {
    std::vector<std::string> numbers;
    for (const auto& one : runs_) numbers.push_back(fmt::format("{}", one.run.number));
    const auto& first = runs_.front().run;
    say(fmt::format("runs of {} on {}: {}", first.target, host_of(runs_.front().bundle->manifest), fmt::join(numbers, ", ")));
    if (first.number > 1)
      say(fmt::format("runs of {}: {} of before are not among the bundles", first.target, range(1, first.number - 1)));
    for (std::size_t i = 1; i < runs_.size(); ++i) look_between(runs_[i - 1], runs_[i]);
  }

 private:
  void say(std::string_view what) const { found_.says.push_back(visible(what)); }
  void refuse(std::string_view what) const { found_.problems.push_back(visible(what)); }
  static std::string range(std::uint64_t from, std::uint64_t to) {
    return from == to ? fmt::format("{}", from) : fmt::format("{} to {}", from, to);
  }

  void look_between(const Placed& one, const Placed& next) const {
    const auto& [bundle, run] = next;
    for (const auto& problem : run.problems)
      if (std::ranges::find(one.run.problems, problem) == one.run.problems.end())
        refuse(fmt::format("the run log was damaged between run {} and run {} of {}: {}", one.run.number, run.number,
                           run.target, problem));
    if (run.number == one.run.number) return look_at_double(one, next);
    if (!run.before || run.before->number != run.number - 1)
      return refuse(fmt::format("{} is run {} of {}, and names another than run {} before it", bundle->name, run.number,
                                run.target, run.number - 1));
    if (run.number - 1 != one.run.number) return miss(one, next);
    if (run.before->line_sha256 != one.run.line_sha256)
      return refuse(fmt::format("{} was run after another run {} of {} than {}", bundle->name, one.run.number, run.target,
                                one.bundle->name));
    if (!run.before->archive_sha256.empty() && run.before->archive_sha256 != one.bundle->sha256)
      return refuse(fmt::format("{} is not the bundle of run {} of {}, which has the sha256 {} by {}", one.bundle->name,
                                one.run.number, run.target, run.before->archive_sha256, bundle->name));
    if (run.before->archive_sha256.empty())
      say(fmt::format("runs of {}: run {} was not sealed when run {} began", run.target, one.run.number, run.number));
  }

  // Of those that are missing, the last is known by who came after it.
  void miss(const Placed& one, const Placed& next) const {
    const auto missing = range(one.run.number + 1, next.run.number - 1);
    refuse(fmt::format("runs of {}: {} missing between {} and {}; {}", next.run.target, missing, one.run.number,
                       next.run.number, describe(*next.run.before)));
  }

  void look_at_double(const Placed& one, const Placed& next) const {
    if (one.bundle->sha256 == next.bundle->sha256)
      return say(fmt::format("{} and {} are the same bundle", one.bundle->name, next.bundle->name));
    refuse(fmt::format("{} and {} both say that they are run {} of {}", one.bundle->name, next.bundle->name,
                       next.run.number, next.run.target));
  }

  std::vector<Placed> runs_;
  Runs& found_;
};

}  // namespace

Runs compare_runs(const std::vector<Given>& bundles) {
  Runs found;
  std::map<std::pair<std::string, std::string>, std::vector<Placed>> by_target;  // log and target
  std::map<std::string, std::set<std::string>> logs_of;                          // by host
  for (const auto& bundle : bundles) {
    const auto run_log = object_at(bundle.manifest, "/run_log");
    auto run = numbered_run(run_log);
    if (!run) {
      found.problems.push_back(visible(fmt::format("{} is in no run log ({}): that no run was left out is not shown",
                                                   bundle.name, why_not_numbered(run_log))));
      continue;
    }
    logs_of[host_of(bundle.manifest)].insert(run->log);
    auto& runs = by_target[{run->log, run->target}];
    runs.push_back({&bundle, std::move(*run)});
  }
  for (auto& [place, runs] : by_target) RunsOfTarget{std::move(runs), found}.look();
  for (const auto& [host, logs] : logs_of)
    if (logs.size() > 1)
      found.problems.push_back(
          visible(fmt::format("{} different run logs of host {}: what ran between them is not shown", logs.size(), host)));
  return found;
}

}  // namespace brownout::bundle
