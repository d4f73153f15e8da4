// SPDX-License-Identifier: MIT
// manifest.json: what the bundle is of, and what made it. What follows from the evidence (windows, clocks, stop,
// missing files) is added by bundle::seal, which verify checks it against.
#pragma once

#include "brownout/run.hpp"

namespace brownout::run {

struct ManifestInputs {
  const Options& options;
  const plan::Plan& plan;
  const target::Target& target;
  const kernel::Interface& interface;
  std::string run_id;
  nlohmann::json kernel;  // of Session::kernel_description()
};
nlohmann::json describe_tool();
bundle::Manifest make_manifest(const ManifestInputs& inputs);

}  // namespace brownout::run
