// SPDX-License-Identifier: MIT
#include "manifest.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

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

// From /etc/passwd alone: getpwuid() loads the host's name service modules, which a static executable must not do.
std::string user_name(uid_t uid) {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> users{std::fopen("/etc/passwd", "re"), &std::fclose};
  if (!users) return {};
  while (const passwd* user = ::fgetpwent(users.get()))
    if (user->pw_uid == uid) return user->pw_name;
  return {};
}

json describe_operator() {
  json who{{"uid", ::getuid()}, {"user", user_name(::getuid())}};
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

}  // namespace

json describe_tool() {
  const auto binary = sha256_file("/proc/self/exe");
  return {{"name", "brownout"},
          {"version", version::kVersion},
          {"commit", version::kCommit},
          {"dirty", version::kDirty},
          {"binary_sha256", binary ? json(*binary) : json(nullptr)}};
}

bundle::Manifest make_manifest(const ManifestInputs& inputs) {
  json manifest{{"run_id", inputs.run_id},
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
                {"kernel_objects", inputs.kernel}};
  const auto tool = manifest["tool"];
  // As the timeline is, so that what stands in both is the same.
  manifest = drill::redactor_of(inputs.plan.drill).value(manifest);
  // But the drill is in the bundle as it was written.
  manifest["drill"] = inputs.plan.drill.name;
  manifest["drill_sha256"] = sha256(inputs.plan.drill.text);
  manifest["labels"] = inputs.plan.drill.labels;
  // Nor is there anything of others in what we are: the chain begins with our digest.
  manifest["tool"] = tool;
  if (const auto language = inputs.options.report_language; language != bundle::ReportLanguage::kEnglish)
    manifest[bundle::kReportLanguageKey] = bundle::word(language);
  return {std::move(manifest)};
}

}  // namespace brownout::run
