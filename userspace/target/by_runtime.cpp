// SPDX-License-Identifier: MIT
// Targets that a container runtime is asked for.
#include <optional>
#include <string>

#include <fmt/format.h>

#include "choose.hpp"
#include "resolve.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

bool names_container(const std::string& component, const Container& container) {
  if (container.runtime == "lxc") return component.starts_with("lxc.payload.");
  if (container.runtime == "nspawn") return component == "payload"; // beside it: nspawn itself
  const auto& id = container.id;
  return component == id || component.ends_with("-" + id) || component.ends_with("-" + id + ".scope");
}

// The container's own cgroup: its init may have moved into one below it (systemd does).
std::optional<fs::path> cgroup_of_container(const Hierarchy& hierarchy, fs::path directory, const Container& container) {
  for (; directory != hierarchy.mount && directory != directory.parent_path(); directory = directory.parent_path())
    if (names_container(directory.filename(), container)) return directory;
  return std::nullopt;
}

}  // namespace

Result<Target> resolve_container(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  BROWNOUT_ASSIGN(const Container container, find_container(wanted, surroundings));
  BROWNOUT_ASSIGN(const Hierarchy hierarchy, read_hierarchy(surroundings.proc));
  Target target{.name = drill::shown(wanted),
                .runtime = container.runtime,
                .container_id = container.id,
                .pid = container.pid,
                .image = container.image,
                .image_digest = container.image_digest,
                .labels = container.labels};
  BROWNOUT_ASSIGN(const fs::path directory, directory_of_pid(hierarchy, container.pid, surroundings.proc));
  const auto own = cgroup_of_container(hierarchy, directory, container);
  // docker always puts the id into the path. Without it this pid is somebody else's: docker counts in another pid
  // namespace (a virtual machine, a nested engine).
  if (!own && container.runtime == "docker")
    return fail(ErrorCode::kRefused,
                fmt::format("docker says that '{}' is pid {}, but that process is in cgroup {}, not in the container's",
                            target.name, container.pid, directory.string()),
                "run brownout where docker runs, in the same pid namespace");
  target.cgroup_path = own.value_or(directory);
  BROWNOUT_TRY(fill_in(target, hierarchy, surroundings.proc));
  return target;
}

// The kubelet writes them on every container, whichever runtime it uses.
Result<Target> resolve_pod(const drill::PodTarget& wanted, const Surroundings& surroundings) {
  BROWNOUT_ASSIGN(Target target, resolve_container({.labels = {{"io.kubernetes.pod.namespace", wanted.name_space},
                                                               {"io.kubernetes.pod.name", wanted.pod},
                                                               {"io.kubernetes.container.name", wanted.container}}},
                                                   surroundings));
  target.name = fmt::format("{}/{}/{}", wanted.name_space, wanted.pod, wanted.container);
  return target;
}

}  // namespace brownout::target
