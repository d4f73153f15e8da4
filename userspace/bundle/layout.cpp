// SPDX-License-Identifier: MIT
#include "layout.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "brownout/abi/brownout.h"

namespace brownout::bundle {
namespace {

constexpr std::size_t kLongestPath = 1024;

bool is_utf8(std::string_view text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());  // throws on what is not UTF-8
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

bool is_safe_component(std::string_view part) { return !part.empty() && part != "." && part != ".."; }

}  // namespace

std::string jitter_table_path(std::size_t index) { return fmt::format("{}{}.dist", kJitterTables, index + 1); }

bool is_known(std::string_view path) {
  for (std::size_t i = 0; i < BROWNOUT_MAX_FAULTS; ++i)
    if (path == jitter_table_path(i)) return true;
  return std::ranges::find(kAlways, path) != kAlways.end() || path == kRunFiles || path == kRunDirectoryCopy ||
         (path.starts_with(kRunDirectory) && path.size() > kRunDirectory.size());
}

bool is_safe(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath || !is_utf8(path)) return false;
  if (std::ranges::any_of(path, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f || c == '\\'; })) return false;
  while (true) {
    const auto slash = path.find('/');
    if (!is_safe_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace brownout::bundle
