// SPDX-License-Identifier: MIT
// manifest.json: what the bundle is of, and what made it.
#pragma once

#include "brownout/run.hpp"

namespace brownout::run {

struct ManifestInputs {
  const Options& options;
  const plan::Plan& plan;
  const target::Target& target;
  const kernel::Interface& interface;
  const events::Evidence& evidence;
  std::string run_id;
  nlohmann::json kernel;  // of Session::kernel_description()
};
bundle::Manifest make_manifest(const ManifestInputs& inputs);

}  // namespace brownout::run
