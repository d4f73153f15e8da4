// SPDX-License-Identifier: MIT
#include "host_evidence.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "brownout/provenance.hpp"

namespace brownout::run {
namespace {

using nlohmann::json;

Result<> write_document(const std::filesystem::path& file, const json& value) {
  return write_file(file, value.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

json describe(const kernel::Listing& listing) {
  return {{"file", listing.file},
          {"command", listing.command},
          {"exit_code", listing.exit_code},
          {"problem", listing.problem.empty() ? json(nullptr) : json(listing.problem)},
          {"t_mono_ns", listing.t_mono_ns},
          {"duration_ns", listing.duration_ns}};
}

}  // namespace

HostEvidence::HostEvidence(const plan::Plan& plan, const target::Target& target, const kernel::Interface& interface,
                           std::filesystem::path staging)
    : plan_(plan), target_(target), interface_(interface), staging_(std::move(staging)) {
  if (plan.drill.app) places_.push_back({.path = "", .role = "run_dir_parent"});
  for (const auto& path : plan.drill.protected_paths) places_.push_back({.path = path, .role = "protected"});
  for (auto& place : places_) place.after.problem = "it was not looked at";
}

Result<> HostEvidence::before(const events::RunDirectory* run_directory) {
  looked_ = true;
  list_places(run_directory, &events::Place::before);
  BROWNOUT_TRY(write_places(run_directory));
  auto state = kernel::HostState::start(target_, interface_);
  if (!state) {
    not_observed_.push_back("what the system's tools say of host and target: " + state.error().render());
    return {};
  }
  state_ = std::move(*state);
  state_->begin(kernel::HostState::kPatience);
  return write("before", state_->finish(), true);
}

void HostEvidence::during(std::chrono::milliseconds patience) {
  if (!state_ || begun_) return;
  begun_ = true;
  state_->begin(std::min<std::chrono::milliseconds>(patience, kernel::HostState::kPatience));
}

Result<> HostEvidence::after(const events::RunDirectory* run_directory) {
  if (!looked_) return {};
  if (state_) {
    if (begun_) BROWNOUT_TRY(write("during", state_->finish(), false));
    state_->begin(kernel::HostState::kPatience);
    BROWNOUT_TRY(write("after", state_->finish(), true));
    state_.reset();
  }
  list_places(run_directory, &events::Place::after);
  return write_places(run_directory);
}

void HostEvidence::list_places(const events::RunDirectory* run_directory,
                               events::PlaceListing events::Place::*into) {
  for (auto& place : places_) {
    if (place.role == "protected") {
      place.*into = events::list_place(place.path, events::Reach::kEverything);
    } else if (run_directory != nullptr) {
      place.path = run_directory->path().parent_path();
      place.*into = events::list_above(run_directory->fd());
    } else {
      (place.*into).problem = "there was no run directory";
    }
  }
}

Result<> HostEvidence::write_places(const events::RunDirectory* run_directory) const {
  auto places = json::array();
  for (const auto& place : places_)
    places.push_back({{"path", place.path},
                      {"role", place.role},
                      {"before", to_json(place.before)},
                      {"after", to_json(place.after)}});
  return write_document(staging_ / "host_files.json",
                        {{"run_directory", run_directory == nullptr ? json(nullptr) : json(run_directory->path())},
                         {"places", std::move(places)}});
}

Result<> HostEvidence::write(const char* when, const std::vector<kernel::Listing>& listings, bool with_layer) {
  const auto directory = staging_ / "host" / when;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "create " + directory.string());
  std::map<std::string, std::string> files;
  auto commands = json::array();
  for (const auto& listing : listings) {
    commands.push_back(describe(listing));
    if (!listing.text.empty()) files[listing.file] += fmt::format("# {}\n{}", listing.command, listing.text);
  }
  for (const auto& [file, text] : files) BROWNOUT_TRY(write_file(directory / file, text));
  BROWNOUT_TRY(write_document(directory / "commands.json", commands));
  if (!with_layer) return {};
  const auto layer = target::layer_diff(target_);
  return write_document(directory / "container_changes.json",
                        {{"changes", layer.changes},
                         {"problem", layer.problem.empty() ? json(nullptr) : json(layer.problem)}});
}

}  // namespace brownout::run
