// SPDX-License-Identifier: MIT
// Processes of a runtime that look after one container each. Their command lines say which: that needs no daemon, no
// registry, and no program of the runtime's to be run as another user.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brownout::target {

struct Supervisor {
  std::int32_t pid = 0;
  std::uint32_t uid = 0;
  std::vector<std::string> arguments;

  // Of "-n VALUE", "--name VALUE" or "--name=VALUE".
  std::optional<std::string> option(std::string_view short_form, std::string_view long_form) const;
};

// Those whose comm is that, by pid.
std::vector<Supervisor> supervisors(std::string_view comm, const std::filesystem::path& proc);
// 0: none.
std::int32_t first_child_of(std::int32_t pid, const std::filesystem::path& proc);

}  // namespace brownout::target
