// SPDX-License-Identifier: MIT
// What a container runtime says when it is asked for a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace brownout::target {

struct Container {
  std::string runtime; // docker | runc | crun
  std::string id;
  std::int32_t pid = 0;
  std::string state;   // the runtime's own word: running, exited, created, ...
  bool running = false;
  std::string image, image_digest;
  nlohmann::json labels = nlohmann::json::object();
};

struct Answer {
  std::string runtime;
  std::optional<Container> container;
  std::string reason; // where there is none: why
};

Answer ask_docker(const std::string& name, const std::string& docker_host);
// What docker answers to GET `path`; null, and the reason in `problem`, when it does not.
struct Asked { nlohmann::json body; std::string problem; };
Asked get_from_docker(const std::string& path, const std::string& docker_host);
// What `RUNTIME [--root R] state NAME` prints.
Asked oci_state(const std::string& runtime, const std::string& name, const std::string& root,
                const std::string& search_path);
// `runtime` is runc or crun; `root` is empty for the runtime's own default.
Answer ask_oci_runtime(const std::string& runtime, const std::string& name, const std::string& root,
                       const std::string& search_path);

}  // namespace brownout::target
