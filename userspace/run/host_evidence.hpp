// SPDX-License-Identifier: MIT
// The host before, during and after: host/ and host_files.json.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "brownout/host_state.hpp"
#include "brownout/places.hpp"
#include "brownout/run.hpp"

namespace brownout::run {

class HostEvidence {
 public:
  HostEvidence(const plan::Plan& plan, const target::Target& target, const kernel::Interface& interface,
               std::filesystem::path staging);

  // Before anything is attached; waits for all of it. `run_directory` may be null.
  Result<> before(const events::RunDirectory* run_directory);
  // Begun, and left to itself: nobody waits for it while a fault acts. Over within `patience`, which is what is left of the
  // window: the recovery is measured without it.
  void during(std::chrono::milliseconds patience);
  // After all is undone.
  Result<> after(const events::RunDirectory* run_directory);
  // What could not be looked at, for the evidence.
  const std::vector<std::string>& not_observed() const { return not_observed_; }

 private:
  Result<> write(const char* when, const std::vector<kernel::Listing>& listings, bool with_layer);
  Result<> write_places(const events::RunDirectory* run_directory) const;
  void list_places(const events::RunDirectory* run_directory, events::PlaceListing events::Place::*into);

  const plan::Plan& plan_;
  const target::Target& target_;
  const kernel::Interface& interface_;
  std::filesystem::path staging_;
  std::unique_ptr<kernel::HostState> state_;
  std::vector<events::Place> places_;
  std::vector<std::string> not_observed_;
  bool looked_ = false; // before
  bool begun_ = false;  // a listing in mid-drill
};

}  // namespace brownout::run
