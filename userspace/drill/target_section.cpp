// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

constexpr std::int64_t kMaxPid = 4'194'304; // PID_MAX_LIMIT of 64-bit kernels
constexpr std::size_t kMaxContainerName = 255;

// What docker, runc and crun take as a name or an id. It also keeps a name from being read as an option.
Result<std::string> read_container_name(const Cursor& cursor) {
  BROWNOUT_ASSIGN(std::string name, read_text(cursor, kMaxContainerName));
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool good = letter(name.front()) && std::ranges::all_of(name, [&](char c) {
    return letter(c) || std::string_view{"_.+-"}.contains(c);
  });
  if (!good)
    return cursor.refuse_value("a container name or id", "letters, digits and _ . + -, a letter or digit first");
  return name;
}

Result<std::string> read_runtime(const Cursor& cursor) {
  static constexpr Choice<std::string_view> kRuntimes[] = {
      {"auto", "auto"}, {"docker", "docker"}, {"runc", "runc"}, {"crun", "crun"}};
  BROWNOUT_ASSIGN(const std::string_view runtime, read_choice(cursor, kRuntimes));
  return std::string{runtime};
}

Result<Target> read_container(const Mapping& mapping, const Cursor& name) {
  ContainerTarget container;
  BROWNOUT_ASSIGN(container.name, read_container_name(name));
  if (const auto runtime = mapping.find("runtime")) {
    BROWNOUT_ASSIGN(container.runtime, read_runtime(*runtime));
  }
  if (const auto root = mapping.find("root")) {
    if (container.runtime == "docker")
      return root->refuse_value("possible: docker is asked through its socket",
                                "leave root out, or write runtime: runc or crun");
    BROWNOUT_ASSIGN(container.root, read_absolute_path(*root));
  }
  return container;
}

}  // namespace

Result<Target> read_target(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"container", "cgroup", "pid", "runtime", "root"}));
  BROWNOUT_ASSIGN(const Cursor which, mapping.exactly_one({"container", "cgroup", "pid"}));
  if (mapping.find("container")) return read_container(mapping, which);
  for (const char* key : {"runtime", "root"})
    if (const auto extra = mapping.find(key))
      return extra->refuse_value("possible: this key goes with `container` only", "remove it, or name a container");
  if (mapping.find("pid")) {
    BROWNOUT_ASSIGN(const std::int64_t pid, read_integer(which, 1, kMaxPid));
    return PidTarget{static_cast<std::int32_t>(pid)};
  }
  BROWNOUT_ASSIGN(std::string path, read_absolute_path(which));
  return CgroupTarget{std::move(path)};
}

}  // namespace brownout::drill
