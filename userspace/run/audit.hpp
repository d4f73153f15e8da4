// SPDX-License-Identifier: MIT
// What runs here, as well as the host can know it: for the audit that the app's own manifest leaves open.
#pragma once

#include <vector>

#include "brownout/checkout.hpp"
#include "brownout/provenance.hpp"
#include "brownout/run.hpp"

namespace brownout::run {

struct AuditInputs {
  nlohmann::json app_manifest; // of the run directory; null where there is none
  std::string manifest_file;   // its name
  std::string drill_commit;    // app.git_commit of the drill
  target::Provenance provenance;
  std::vector<events::Checkout> checkouts;
};
// Per fact `value` and `source`, and what others say in `also`. `git_commit` and `docker_image_tag` are always there: what
// nobody knows is "unknown", with what was tried.
nlohmann::json audit_facts(const AuditInputs& inputs);

// Asks the runtime and looks through the target's mounts.
nlohmann::json audit(const plan::Plan& plan, const target::Target& target, const events::RunDirectory* run_directory);

}  // namespace brownout::run
