// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

constexpr std::int64_t kMaxPid = 4'194'304; // PID_MAX_LIMIT of 64-bit kernels
constexpr std::size_t kMaxContainerName = 255;
constexpr std::size_t kMaxTargetLabels = 16;
constexpr std::size_t kMaxLabelBytes = 256;
constexpr std::string_view kRuntimesWithRoot[] = {"auto", "runc", "crun", "lxc"};
constexpr std::string_view kRuntimesWithLabels[] = {"auto", "docker", "podman", "containerd"};
constexpr std::string_view kRuntimesWithNamespaces[] = {"auto", "containerd"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool consists_of(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [others](char c) { return is_letter(c) || others.contains(c); });
}
bool is_container_name(std::string_view text) { return !text.empty() && is_letter(text.front()) && consists_of(text, "_.+-"); }

// What runtimes take as a name or an id. It also keeps a name from being read as an option.
Result<std::string> read_container_name(const Cursor& cursor) {
  BROWNOUT_ASSIGN(std::string name, read_text(cursor, kMaxContainerName));
  if (!is_container_name(name))
    return cursor.refuse_value("a container name or id", "letters, digits and _ . + -, a letter or digit first");
  return name;
}

Result<std::string> read_runtime(const Cursor& cursor) {
  static constexpr Choice<std::string_view> kRuntimes[] = {
      {"auto", "auto"}, {"docker", "docker"}, {"podman", "podman"}, {"containerd", "containerd"},
      {"runc", "runc"}, {"crun", "crun"},     {"lxc", "lxc"},       {"nspawn", "nspawn"}};
  BROWNOUT_ASSIGN(const std::string_view runtime, read_choice(cursor, kRuntimes));
  return std::string{runtime};
}

// Where a filter of a runtime's is made of them, nothing in them may end it.
Result<Labels> read_target_labels(const Cursor& cursor) {
  Labels labels;
  BROWNOUT_ASSIGN(const auto members, free_members(cursor));
  if (members.empty() || members.size() > kMaxTargetLabels)
    return cursor.refuse(fmt::format("there are {} labels", members.size()), fmt::format("1 to {}", kMaxTargetLabels));
  for (const auto& [key, value] : members) {
    BROWNOUT_ASSIGN(const std::string name, read_text(key, kMaxLabelBytes));
    if (!is_letter(name.front()) || !consists_of(name, "_.-/"))
      return key.refuse_value("the name of a label", "letters, digits and _ . - /, a letter or digit first");
    BROWNOUT_ASSIGN(labels[name], read_text(value, kMaxLabelBytes));
    if (labels[name].find_first_of("\"\\,") != std::string::npos)
      return value.refuse_value("the value of a label", "anything but quotes, backslashes and commas");
  }
  return labels;
}

Result<> check_goes_with(const Cursor& key, const std::string& runtime, std::span<const std::string_view> runtimes) {
  if (std::ranges::find(runtimes, runtime) != runtimes.end()) return {};
  return key.refuse_value(fmt::format("possible with runtime: {}", runtime),
                          fmt::format("it goes with {}", fmt::join(runtimes, ", ")));
}

Result<Target> read_container(const Mapping& mapping) {
  ContainerTarget container;
  if (const auto runtime = mapping.find("runtime")) {
    BROWNOUT_ASSIGN(container.runtime, read_runtime(*runtime));
  }
  if (const auto name = mapping.find("container")) {
    BROWNOUT_ASSIGN(container.name, read_container_name(*name));
  }
  if (const auto labels = mapping.find("labels")) {
    BROWNOUT_TRY(check_goes_with(*labels, container.runtime, kRuntimesWithLabels));
    BROWNOUT_ASSIGN(container.labels, read_target_labels(*labels));
  }
  if (const auto root = mapping.find("root")) {
    if (!container.labels.empty()) return root->refuse_value("possible with labels", "name the container instead");
    BROWNOUT_TRY(check_goes_with(*root, container.runtime, kRuntimesWithRoot));
    BROWNOUT_ASSIGN(container.root, read_absolute_path(*root));
  }
  if (const auto name_space = mapping.find("namespace")) {
    BROWNOUT_TRY(check_goes_with(*name_space, container.runtime, kRuntimesWithNamespaces));
    BROWNOUT_ASSIGN(container.containerd_namespace, read_container_name(*name_space));
  }
  return container;
}

// "shop/web-0/app"
Result<Target> read_pod(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const std::string text, read_text(cursor, kMaxContainerName));
  const auto first = text.find('/');
  const auto last = text.rfind('/');
  if (first != std::string::npos && first != last) {
    PodTarget pod{text.substr(0, first), text.substr(first + 1, last - first - 1), text.substr(last + 1)};
    if (is_container_name(pod.name_space) && is_container_name(pod.pod) && is_container_name(pod.container)) return pod;
  }
  return cursor.refuse_value("a container of a pod", "NAMESPACE/POD/CONTAINER, as in shop/web-0/app");
}

Result<Target> read_unit(const Cursor& cursor) {
  BROWNOUT_ASSIGN(std::string name, read_text(cursor, kMaxContainerName));
  const bool sort = name.ends_with(".service") || name.ends_with(".scope") || name.ends_with(".slice");
  if (!sort || !consists_of(name, ":-_.@\\"))
    return cursor.refuse_value("a unit of systemd that has processes", "a name that ends in .service, .scope or .slice");
  return UnitTarget{std::move(name)};
}

}  // namespace

std::string shown(const ContainerTarget& target) {
  if (!target.name.empty()) return target.name;
  std::vector<std::string> labels;
  for (const auto& [name, value] : target.labels) labels.push_back(fmt::format("{}={}", name, value));
  return fmt::format("{}", fmt::join(labels, ","));
}

Result<Target> read_target(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"container", "labels", "pod", "unit", "netns", "cgroup", "pid",
                                                                "runtime", "root", "namespace"}));
  BROWNOUT_ASSIGN(const Cursor which,
                  mapping.exactly_one({"container", "labels", "pod", "unit", "netns", "cgroup", "pid"}));
  if (mapping.find("container") || mapping.find("labels")) return read_container(mapping);
  for (const char* key : {"runtime", "root", "namespace"})
    if (const auto extra = mapping.find(key))
      return extra->refuse_value("possible: this key goes with `container` or `labels` only", "remove it, or name a container");
  if (mapping.find("pod")) return read_pod(which);
  if (mapping.find("unit")) return read_unit(which);
  if (mapping.find("pid")) {
    BROWNOUT_ASSIGN(const std::int64_t pid, read_integer(which, 1, kMaxPid));
    return PidTarget{static_cast<std::int32_t>(pid)};
  }
  BROWNOUT_ASSIGN(std::string path, read_absolute_path(which));
  if (mapping.find("netns")) return NetnsTarget{std::move(path)};
  return CgroupTarget{std::move(path)};
}

}  // namespace brownout::drill
