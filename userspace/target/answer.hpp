// SPDX-License-Identifier: MIT
// What a container runtime says when it is asked for a name, or for labels.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/drill.hpp"
#include "brownout/target.hpp"

namespace brownout::target {

struct Container {
  std::string runtime; // docker | podman | containerd | runc | crun | lxc | nspawn
  std::string id;
  std::int32_t pid = 0;
  std::string state;   // the runtime's own word: running, exited, created, ...
  bool running = false;
  std::string image, image_digest;
  nlohmann::json labels = nlohmann::json::object();
};

struct Answer {
  std::string runtime;
  std::vector<Container> containers; // that are meant, in whatever state
  std::string reason;                // where there are none: why
};

Answer ask_docker(const drill::ContainerTarget& wanted, const Surroundings& surroundings);
// By its program for our own user's containers; those of other users by the processes that look after them.
Answer ask_podman(const drill::ContainerTarget& wanted, const Surroundings& surroundings);
// By ctr, in the namespace that is wanted or in all of them.
Answer ask_containerd(const drill::ContainerTarget& wanted, const Surroundings& surroundings);
Answer ask_runc(const drill::ContainerTarget& wanted, const Surroundings& surroundings);
Answer ask_crun(const drill::ContainerTarget& wanted, const Surroundings& surroundings);
Answer ask_lxc(const drill::ContainerTarget& wanted, const Surroundings& surroundings);
// By the systemd-nspawn processes: a machine need not be registered.
Answer ask_nspawn(const drill::ContainerTarget& wanted, const Surroundings& surroundings);

// JSON that a runtime answers with; null, and the reason in `problem`, when it does not.
struct Asked { nlohmann::json body; std::string problem; };
// What docker answers to GET `path`.
Asked get_from_docker(const std::string& path, const std::string& docker_host);
// What `podman container inspect` and `podman image inspect` print, of one.
Asked inspect_by_podman(const std::string& sort, const std::string& name, const std::string& search_path);
// What `ctr containers info` prints, in the first namespace that has it.
Asked containerd_info(const std::string& id, const drill::ContainerTarget& wanted, const Surroundings& surroundings);
// What `RUNTIME [--root R] state NAME` prints.
Asked oci_state(const std::string& runtime, const std::string& name, const std::string& root,
                const std::string& search_path);

// What a program of the host prints; nothing, and the reason in `problem`, when it fails.
struct Said { std::string text; std::string problem; };
Said ask_program(const std::string& name, const std::vector<std::string>& arguments, const std::string& search_path);
std::vector<std::string> lines_of(const std::string& text);
// JSON in it, or the reason of `said`, or that there is none.
Asked json_of(const Said& said, const std::string& whose);

// A container as `inspect` of docker and podman describes it.
Container inspected(const std::string& runtime, const nlohmann::json& description);
// By its name, or by the start of its id.
bool describes(const nlohmann::json& description, const std::string& name);
bool carries(const nlohmann::json& labels, const drill::Labels& wanted);
// Runtimes take any unambiguous start of an id for a name. A short one is a name that happens to look like it: it must
// have the 12 hexadecimal digits that they themselves print. containerd's ids may be words: "web-server-1" begins no other.
bool is_start_of_id(const std::string& name, const std::string& id);
// 0: none that a process could have.
std::int32_t pid_of(std::int64_t number);

}  // namespace brownout::target
