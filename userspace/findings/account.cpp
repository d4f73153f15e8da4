// SPDX-License-Identifier: MIT
// Does the app count as one run of it would?
#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "fingerprint.hpp"
#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr std::array<const char*, 3> kTotals{"api_calls", "orders_sent", "error_count"};

std::optional<double> total_of(const events::Snapshot& snapshot, std::string_view name) {
  return number_at(snapshot, fmt::format("/{}", name));
}

void note(std::string& first, std::string text, const events::Ref& ref, CounterAccount& account) {
  if (!first.empty()) return;
  first = std::move(text);
  account.refs.push_back(ref);
}

void compare_versions(const events::Snapshot& before, const events::Snapshot& now, CounterAccount& account) {
  for (const auto* name : kTotals) {
    const auto was = total_of(before, name), is = total_of(now, name);
    if (!was || !is || *is >= *was) continue;
    auto text = fmt::format("{} went from {} to {}", name, *was, *is);
    const bool anew = begins_anew(before, now, fmt::format("/{}", name));
    note(anew ? account.reset : account.backwards, std::move(text), now.ref, account);
  }
}

void find_falls(const events::Evidence& evidence, CounterAccount& account) {
  const auto baseline = window_of(evidence, BROWNOUT_PHASE_BASELINE);
  const events::Snapshot* before = nullptr;
  for (const auto& snapshot : evidence.snapshots) {
    if (snapshot.status != events::SnapshotStatus::kRead) continue;
    if (before != nullptr && (!baseline || snapshot.t_mono_ns > baseline->start_ns))
      compare_versions(*before, snapshot, account);
    before = &snapshot;
  }
}

const events::Snapshot* last_read(const events::Evidence& evidence) {
  const events::Snapshot* last = nullptr;
  for (const auto& snapshot : evidence.snapshots)
    if (snapshot.status == events::SnapshotStatus::kRead) last = &snapshot;
  return last;
}

// The manifest of a run that has ended: while it runs, what stands there may be of its start.
nlohmann::json final_manifest(const events::Evidence& evidence) {
  nlohmann::json manifest;
  for (const auto& entry : evidence.timeline)
    if (entry.kind == "app_manifest" && entry.fields.is_object() && entry.fields.value("when", "") == "end" &&
        entry.fields.contains("manifest"))
      manifest = entry.fields.at("manifest");
  if (!manifest.is_object()) return {};
  const auto status = manifest.find("status");
  return status != manifest.end() && (*status == "running" || *status == "started") ? nlohmann::json{} : manifest;
}

void compare_with_manifest(const nlohmann::json& manifest, const events::Snapshot& last, CounterAccount& account) {
  for (const auto* name : kTotals) {
    const auto counted = total_of(last, name);
    if (!counted || !manifest.contains(name) || !manifest.at(name).is_number()) continue;
    const double said = manifest.at(name).get<double>();
    if (said != *counted)
      note(account.disagreement, fmt::format("{} is {} in the fingerprint and {} in the manifest", name, *counted, said),
           last.ref, account);
  }
}

}  // namespace

void find_account(const events::Evidence& evidence, Findings& findings) {
  auto& account = findings.account;
  find_falls(evidence, account);
  const auto* last = last_read(evidence);
  if (last == nullptr) return;
  if (const auto manifest = final_manifest(evidence); manifest.is_object())
    compare_with_manifest(manifest, *last, account);
  if (last->error_count && *last->error_count >= 0 &&
      last->error_events > static_cast<std::uint64_t>(*last->error_count))
    note(account.disagreement,
         fmt::format("error_events has {} elements and error_count is {}", last->error_events, *last->error_count),
         last->ref, account);
  const bool listed = std::ranges::any_of(evidence.snapshots, [](const events::Snapshot& snapshot) {
    return snapshot.error_events > 0 || !snapshot.new_errors.empty();
  });
  account.counts_only = !listed && last->error_count.value_or(0) > 0;
}

}  // namespace brownout::findings
