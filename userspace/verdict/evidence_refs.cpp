// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string_view>
#include <vector>

#include "judging.hpp"

namespace brownout::verdict {
namespace {

// Entries of the timeline; of phases only those of one.
struct Place { std::string_view kind, phase; };
struct Places { std::string_view family; std::vector<Place> places; };

const std::vector<Places>& places() {
  static const std::vector<Places> kPlaces{
      {"pressure", {{"pressure", ""}}},
      {"baseline", {{"phase", "baseline"}}},
      {"window_as_planned", {{"phase", "inject"}, {"stop", ""}}},
      {"clock", {{"clock", ""}}},
      {"counters", {{"sampling", ""}, {"run_changed", ""}}},
      {"bundle_complete", {{"recovered", ""}}},
      {"recovered", {{"phase", "recovery"}}},
      {"stop_semantics", {{"app_manifest", ""}}},
      {"cleanup", {{"cleanup", ""}}},
  };
  return kPlaces;
}

// Of whatever has no place of its own: the window, in which it would have happened.
const std::vector<Place>& otherwise() {
  static const std::vector<Place> kWindow{{"phase", "inject"}};
  return kWindow;
}

bool is_at(const events::TimelineEntry& entry, const Place& place) {
  if (entry.kind != place.kind || place.phase.empty()) return entry.kind == place.kind;
  const auto phase = entry.fields.find("phase");
  return phase != entry.fields.end() && *phase == place.phase;
}

void add(const Case& given, const std::vector<Place>& wanted, Check& check) {
  for (const auto& entry : given.evidence.timeline)
    if (!entry.ref.file.empty() &&
        std::ranges::any_of(wanted, [&entry](const Place& place) { return is_at(entry, place); }))
      check.evidence.push_back(entry.ref);
}

}  // namespace

void point_at_evidence(const Case& given, Check& check) {
  if (!check.evidence.empty()) return;
  const auto found = std::ranges::find(places(), family(check.name), &Places::family);
  add(given, found == places().end() ? otherwise() : found->places, check);
  if (check.name == "bundle_complete" && given.evidence.run_files && !given.evidence.run_files->ref.file.empty())
    check.evidence.push_back(given.evidence.run_files->ref);
  // Nothing of the kind happened: how the drill ended says why.
  if (check.evidence.empty()) add(given, {{"ending", ""}}, check);
}

}  // namespace brownout::verdict
