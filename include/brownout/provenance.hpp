// SPDX-License-Identifier: MIT
// What the host can know of what runs in a target, each with where it is from. Asks the runtime; touches nothing.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/target.hpp"

namespace brownout::target {

struct Fact { std::string name, value, source; }; // "docker_image_tag", "1.2", "docker: Config.Image"
struct Provenance {
  std::vector<Fact> facts;        // several of a name: the better source first
  std::vector<std::string> tried; // what did not answer, and why
};
Provenance provenance_of(const Target& target, const drill::Target& wanted, const Surroundings& surroundings = {});

// What differs between the container's own layer and its image, as the runtime tells it.
struct LayerDiff {
  nlohmann::json changes; // of docker: [{"Kind", "Path"}] by path; null where nobody tells
  std::string problem;    // why
};
LayerDiff layer_diff(const Target& target, const Surroundings& surroundings = {});

}  // namespace brownout::target
