// SPDX-License-Identifier: MIT
#include "manifest.hpp"

#include <array>
#include <cstdlib>

#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "version.hpp"

namespace brownout::run {
namespace {

using nlohmann::json;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

json describe_tool() {
  const auto binary = sha256_file("/proc/self/exe");
  return {{"name", "brownout"},
          {"version", version::kVersion},
          {"commit", version::kCommit},
          {"dirty", version::kDirty},
          {"binary_sha256", binary ? json(*binary) : json(nullptr)}};
}

json describe_operator() {
  const passwd* user = ::getpwuid(::getuid());
  json who{{"uid", ::getuid()}, {"user", user != nullptr ? user->pw_name : ""}};
  // Only hints: the environment is the caller's to set. The audit uid is the kernel's, kept since login.
  for (const char* name : {"SUDO_USER", "SUDO_UID"})
    if (const char* value = std::getenv(name)) who[fmt::format("env_{}", name)] = value;
  if (const auto login = read_file("/proc/self/loginuid")) who["login_uid"] = trimmed(*login);
  return who;
}

json describe_host() {
  utsname names{};
  ::uname(&names);
  json host{{"hostname", names.nodename},
            {"kernel_release", names.release},
            {"kernel_version", names.version},
            {"machine", names.machine}};
  if (const auto boot = read_file("/proc/sys/kernel/random/boot_id")) host["boot_id"] = trimmed(*boot);
  return host;
}

json describe_windows(const events::Evidence& evidence) {
  static constexpr std::array kNames{"waiting", "baseline", "inject", "recovery", "settle"};
  json windows = json::object();
  for (const auto& [phase, window] : evidence.windows)
    windows[kNames.at(phase)] = {{"start_mono_ns", window.start_ns},
                                 {"end_mono_ns", window.end_ns},
                                 {"start_utc", format_utc(events::to_realtime_ns(evidence, window.start_ns))},
                                 {"end_utc", format_utc(events::to_realtime_ns(evidence, window.end_ns))},
                                 {"complete", window.complete}};
  return windows;
}

json describe_clocks(const events::Evidence& evidence) {
  json clocks = json::array();
  for (const auto& reading : evidence.clocks)
    clocks.push_back({{"at_monotonic_ns", reading.at_monotonic_ns},
                      {"realtime_offset_ns", reading.realtime_offset_ns},
                      {"boottime_offset_ns", reading.boottime_offset_ns},
                      {"uncertainty_ns", reading.uncertainty_ns}});
  return clocks;
}

// The app's own STOP fields and our own, apart: who noticed the stop is part of the evidence.
json describe_stop(const events::Evidence& evidence) {
  json stop{{"stop_detected", false}, {"stop_time", nullptr}, {"stop_reason", nullptr}};
  for (const auto& entry : evidence.timeline)
    if (entry.kind == "stop")
      stop = {{"stop_detected", true},
              {"stop_time", format_utc(events::to_realtime_ns(evidence, entry.t_mono_ns))},
              {"stop_reason", entry.fields.value("source", "")},
              {"detail", entry.fields.value("detail", "")}};
  return stop;
}

}  // namespace

bundle::Manifest make_manifest(const ManifestInputs& inputs) {
  json manifest{{"bundle_format", 1},
                {"run_id", inputs.run_id},
                {"drill", inputs.plan.drill.name},
                {"drill_sha256", sha256(inputs.plan.drill.text)},
                {"tool", describe_tool()},
                {"operator", describe_operator()},
                {"host", describe_host()},
                {"command_line", inputs.options.command_line},
                {"labels", inputs.plan.drill.labels},
                {"target", target::to_json(inputs.target)},
                {"interface",
                 {{"host_name", inputs.interface.host_name},
                  {"host_ifindex", inputs.interface.host_ifindex},
                  {"container_name", inputs.interface.container_name},
                  {"container_ifindex", inputs.interface.container_ifindex}}},
                {"kernel_objects", inputs.kernel},
                {"windows", describe_windows(inputs.evidence)},
                {"clocks", describe_clocks(inputs.evidence)},
                {"stop", describe_stop(inputs.evidence)},
                {"not_observed", inputs.evidence.not_observed}};
  const auto& files = inputs.evidence.run_files;
  manifest["missing_required_files_count"] = files ? files->missing_required.size() : 0;
  return {std::move(manifest)};
}

}  // namespace brownout::run
