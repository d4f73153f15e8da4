// SPDX-License-Identifier: MIT
// Stage 3. Who is hit: a name that people know -> pid, cgroup v2, network namespace. Reads files and asks the
// runtime; touches nothing. The host-side interfaces of the namespace are found by the kernel stage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "brownout/drill.hpp"

namespace brownout::target {

struct Target {
  std::string name;
  std::string runtime;      // of the container, else: systemd | netns | cgroup | pid
  std::string container_id; // empty where there is none
  std::int32_t pid = 0;     // of the init process, host's pid namespace
  std::filesystem::path cgroup_path; // on the cgroup2 mount of this host
  std::uint64_t cgroup_id = 0;       // inode of the above, what BPF calls the cgroup id
  int cgroup_level = 0;              // depth below the root of the hierarchy
  std::uint64_t netns_inode = 0;
  bool host_network = false;
  std::string image, image_digest;   // empty where the runtime does not tell
  nlohmann::json labels = nlohmann::json::object();
};

// cgroup2 mount from /proc/self/mountinfo (also under a hybrid mount); kUnsupported without one.
Result<std::filesystem::path> cgroup2_mount(const std::filesystem::path& proc = "/proc");
// The "0::" line of /proc/PID/cgroup.
Result<std::filesystem::path> cgroup_of_pid(std::int32_t pid, const std::filesystem::path& proc = "/proc");

// Where to look; the defaults are the machine's own.
struct Surroundings {
  std::filesystem::path proc = "/proc";
  std::string docker_host; // unix://PATH; empty: DOCKER_HOST, else unix:///var/run/docker.sock
  std::string search_path; // of the runtimes' programs; empty: PATH, then the sbin folders
  std::string containerd;  // its socket; empty: CONTAINERD_ADDRESS, else /run/containerd/containerd.sock
  std::uint32_t uid = ::geteuid(); // whose podman the program in the path is
};

// kNotFound with the places asked and what each said; kAmbiguous with all that is meant, when that is more than one
// container or unit, or a cgroup's processes live in several network namespaces, or a namespace's processes in cgroups that
// have no common one of their own; kRefused for the root cgroup, brownout's own and those above it.
Result<Target> resolve(const drill::Target& wanted, const Surroundings& surroundings = {});
nlohmann::json to_json(const Target& target);

// What has become of it since it was resolved: its process has ended or moved to another cgroup or network namespace; its
// cgroup is gone, empty or frozen. Nothing: it is as it was. Of a reused pid it knows nothing: hold the process by a pidfd.
std::optional<std::string> change_of(const Target& target, const std::filesystem::path& proc = "/proc");

struct Process { std::int32_t pid = 0; std::string comm; std::filesystem::path cgroup; };
// Processes in the target's cgroup and below, by pid; `cgroup` is the directory on the cgroup2 mount.
Result<std::vector<Process>> processes(const Target& target, const std::filesystem::path& proc = "/proc");
// Other cgroups that have a process in the target's network namespace: a fault on the veth hits them too. One process
// (the lowest pid) for each; `cgroup` is the path as /proc/PID/cgroup has it.
std::vector<Process> netns_neighbours(const Target& target, const std::filesystem::path& proc = "/proc");

}  // namespace brownout::target
