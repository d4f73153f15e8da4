// SPDX-License-Identifier: MIT
// Whether the drill left alone what it had to: said by comparison, or said not to have been checked.
#include "host_summary.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "changes.hpp"
#include "layout.hpp"
#include "shards.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

constexpr std::size_t kMostChanges = 1000;
constexpr std::size_t kShown = 5;
constexpr std::size_t kMostActions = 100; // that a rule points at; a drill makes some dozens
constexpr const char* kRunDir = "run_dir";

enum class Rule { kRespected, kBroken, kNotChecked };
const char* word(Rule outcome) {
  return outcome == Rule::kRespected ? "respected" : outcome == Rule::kBroken ? "broken" : "not_checked";
}

json rule(const std::string& name, Rule outcome, std::string detail, const std::vector<events::Ref>& refs) {
  auto list = json::array();
  for (const auto& ref : refs) list.push_back(events::to_json(ref));
  return {{"rule", name}, {"outcome", word(outcome)}, {"detail", std::move(detail)}, {"evidence_refs", std::move(list)}};
}

std::string shown_changes(const std::vector<Change>& changes) {
  std::vector<std::string> some;
  for (std::size_t i = 0; i < std::min(kShown, changes.size()); ++i)
    some.push_back(fmt::format("{} ({})", changes[i].path, changes[i].what));
  return fmt::format("{}{}", fmt::join(some, ", "),
                     changes.size() > kShown ? fmt::format(" and {} more", changes.size() - kShown) : "");
}

std::vector<Change> by(const std::vector<Change>& changes, std::string_view whose) {
  std::vector<Change> some;
  std::ranges::copy_if(changes, std::back_inserter(some), [whose](const Change& change) { return change.by == whose; });
  return some;
}

class HostSummary {
 public:
  HostSummary(const plan::Plan& plan, const events::Evidence& evidence, std::filesystem::path directory)
      : plan_(plan), evidence_(evidence), directory_(std::move(directory)) {}

  Result<json> run() {
    BROWNOUT_ASSIGN(files_, read_host_files(directory_));
    read_timeline();
    judge_run_directory();
    judge_places();
    BROWNOUT_TRY(judge_layer());
    judge_cleanup();
    auto changes = json::array();
    for (std::size_t i = 0; i < std::min(kMostChanges, changes_.size()); ++i) changes.push_back(to_json(changes_[i]));
    return json{{"audit", std::move(audit_)},
                {"app_stop", std::move(app_stop_)},
                {"changes", std::move(changes)},
                {"changes_count", changes_.size()},
                {"rules", std::move(rules_)}};
  }

 private:
  void read_timeline() {
    for (const auto& entry : evidence_.timeline) {
      if (entry.kind == "audit") audit_ = entry.fields.at("facts");
      if (entry.kind == "app_manifest") take_app_stop(entry.fields.at("manifest"));
      if (entry.kind == "cleanup") cleanup_.push_back(entry.ref);
      if (entry.kind != "action") continue;
      actions_.push_back(entry.ref);
      const auto object = entry.fields.at("object").get<std::string>();
      if (object.starts_with('/') && entry.fields.at("result") == "ok")
        ours_.insert(std::filesystem::path{object}.lexically_normal().string());
    }
  }

  // The operators' four fields, as the app's manifest had them last.
  void take_app_stop(const json& manifest) {
    if (!manifest.is_object()) return;
    app_stop_ = json::object();
    for (const char* key : {"status", "stop_detected", "stop_time", "stop_reason"})
      app_stop_[key] = manifest.value(key, json(nullptr));
  }

  std::vector<events::Ref> with_actions(const events::Ref& ref) const {
    std::vector<events::Ref> refs{ref};
    refs.insert(refs.end(), actions_.begin(),
                actions_.begin() + static_cast<std::ptrdiff_t>(std::min(kMostActions, actions_.size())));
    return refs;
  }

  void judge_run_directory() {
    if (!plan_.drill.app) return;
    const std::string name = "brownout changed nothing in the run directory";
    if (!evidence_.run_files)
      return rules_.push_back(rule(name, Rule::kNotChecked, "the run directory was not listed at both ends", {}));
    const auto& files = *evidence_.run_files;
    const auto folder = files_ && files_->run_directory ? *files_->run_directory : std::string{};
    const auto found = compare(kRunDir, folder, files.before, files.after, ours_, "app");
    const auto ours = by(found, "brownout"), theirs = by(found, "app");
    changes_.insert(changes_.end(), found.begin(), found.end());
    const auto detail =
        ours.empty() ? fmt::format("no action of brownout names a file in it; of {} files then and {} now the app changed {}{}",
                                   files.before.size(), files.after.size(), theirs.size(),
                                   theirs.empty() ? "" : ": " + shown_changes(theirs))
                     : fmt::format("brownout changed {}", shown_changes(ours));
    rules_.push_back(rule(name, ours.empty() ? Rule::kRespected : Rule::kBroken, detail, with_actions(files.ref)));
  }

  void judge_places() {
    bool any = false;
    for (const auto& place : files_ ? files_->places : std::vector<RecordedPlace>{}) {
      const bool is_protected = place.role == "protected";
      any = any || is_protected;
      judge_place(place, is_protected);
    }
    if (!any)
      rules_.push_back(rule("nothing that is protected was changed", Rule::kNotChecked,
                            plan_.drill.protected_paths.empty() ? "the drill names no `protected` paths"
                                                                : "they were not looked at",
                            {}));
  }

  // Of what is protected every change counts, whoever made it; elsewhere only our own, but for the STOP file.
  void judge_place(const RecordedPlace& place, bool is_protected) {
    const auto name = is_protected ? fmt::format("nothing in {} was changed", place.path)
                                   : fmt::format("brownout changed nothing beside the run directory, in {}, but the STOP "
                                                 "file that the drill asks for", place.path);
    if (!place.problem.empty())
      return rules_.push_back(rule(name, Rule::kNotChecked, place.problem, {files_->ref}));
    auto found = compare(place.path, place.path, place.before, place.after, ours_, is_protected ? "others" : "app");
    changes_.insert(changes_.end(), found.begin(), found.end());
    if (!is_protected)
      std::erase_if(found, [this, &place](const Change& change) {
        return change.by != "brownout" || place.path / std::filesystem::path{change.path} == stop_file();
      });
    rules_.push_back(rule(name, found.empty() ? Rule::kRespected : Rule::kBroken,
                          found.empty() ? fmt::format("{} files then, {} now", place.before.size(), place.after.size())
                                        : fmt::format("{} changed: {}", found.size(), shown_changes(found)),
                          with_actions(files_->ref)));
  }

  std::filesystem::path stop_file() const { return plan_.drill.app ? plan_.drill.app->stop_file : ""; }

  Result<> judge_layer() {
    const std::string name = "the container's own layer is as it was";
    json changes[2];
    std::vector<events::Ref> refs;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto file = fmt::format("{}{}/container_changes.json", kHost, i == 0 ? "before" : "after");
      const auto text = read_file(directory_ / file, kLargestDocument);
      if (!text && text.error().code == ErrorCode::kNotFound) {
        rules_.push_back(rule(name, Rule::kNotChecked, "it was not asked for at both ends", refs));
        return {};
      }
      if (!text) return std::unexpected(text.error());
      BROWNOUT_ASSIGN(const auto said, events::parse_json(*text, file));
      refs.push_back({file, 1, static_cast<int>(std::ranges::count(*text, '\n')), sha256(*text).substr(0, 16)});
      if (!said.is_object() || !said.value("changes", json()).is_array()) {
        const auto why = said.is_object() ? said.value("problem", json()) : json();
        rules_.push_back(rule(name, Rule::kNotChecked, why.is_string() ? why.get<std::string>() : "no list", refs));
        return {};
      }
      changes[i] = said.at("changes");
    }
    // What the app writes there is its own affair; that it was not us, the list of actions says.
    rules_.push_back(changes[0] == changes[1]
                         ? rule(name, Rule::kRespected,
                                fmt::format("{} differences from the image then and now", changes[0].size()), refs)
                         : rule(name, Rule::kBroken,
                                fmt::format("{} differences from its image then, {} now: by the container's processes, "
                                            "if not by others; no action of brownout is in it",
                                            changes[0].size(), changes[1].size()),
                                refs));
    return {};
  }

  void judge_cleanup() {
    const std::string name = "nothing of brownout is left in the kernel";
    if (!evidence_.cleanup_recorded)
      return rules_.push_back(rule(name, Rule::kNotChecked, "the clean-up was not recorded", {}));
    rules_.push_back(evidence_.leftovers.empty()
                         ? rule(name, Rule::kRespected, "each object was looked for by its id and is gone", cleanup_)
                         : rule(name, Rule::kBroken, fmt::format("left: {}", fmt::join(evidence_.leftovers, ", ")),
                                cleanup_));
  }

  const plan::Plan& plan_;
  const events::Evidence& evidence_;
  std::filesystem::path directory_;
  std::optional<HostFiles> files_;
  json audit_, app_stop_, rules_ = json::array();
  std::vector<Change> changes_;
  std::vector<events::Ref> actions_, cleanup_;
  std::set<std::string> ours_;
};

}  // namespace

Result<json> summarise_host(const plan::Plan& plan, const events::Evidence& evidence,
                            const std::filesystem::path& directory, const json& shards) {
  BROWNOUT_ASSIGN(auto summary, HostSummary(plan, evidence, directory).run());
  summary["shards"] = summarise_shards(shards);
  return summary;
}

}  // namespace brownout::bundle
