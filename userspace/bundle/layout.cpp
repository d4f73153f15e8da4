// SPDX-License-Identifier: MIT
#include "layout.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "brownout/abi/brownout.h"
#include "brownout/text.hpp"
#include "schemas.hpp"

namespace brownout::bundle {
namespace {

constexpr std::size_t kLongestPath = 1024;
constexpr std::size_t kDeepestPath = 40;  // the run directory is copied 32 folders deep

constexpr std::array<std::string_view, 3> kHostMoments{"before", "during", "after"};
constexpr std::array<std::string_view, 9> kHostListings{"commands.json", "nstat.txt",   "sysctl.txt",
                                                        "ss.txt",        "ip.txt",      "tc.txt",
                                                        "host.txt",      "bpftool.txt", "container_changes.json"};

bool is_of_host(std::string_view path) {
  if (!path.starts_with(kHost)) return false;
  path.remove_prefix(kHost.size());
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return false;
  return std::ranges::find(kHostMoments, path.substr(0, slash)) != kHostMoments.end() &&
         std::ranges::find(kHostListings, path.substr(slash + 1)) != kHostListings.end();
}

bool is_safe_component(std::string_view part) { return !part.empty() && part != "." && part != ".."; }

}  // namespace

std::string jitter_table_path(std::size_t index) { return fmt::format("{}{}.dist", kJitterTables, index + 1); }

bool is_unlisted(std::string_view path) { return path == kChecksums || path == kSignature || path == kAttestation || path == kTimestamp; }

bool is_known(std::string_view path) {
  for (std::size_t i = 0; i < BROWNOUT_MAX_FAULTS; ++i)
    if (path == jitter_table_path(i)) return true;
  return std::ranges::find(kAlways, path) != kAlways.end() || is_unlisted(path) || path == kRunFiles || path == kPackets ||
         path == kRunDirectoryCopy || path == kShards || path == kHostFiles || is_of_host(path) ||
         std::ranges::find(schemas(), path, &Schema::path) != schemas().end() ||
         (path.starts_with(kRunDirectory) && path.size() > kRunDirectory.size());
}

bool is_safe(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath || visible(path) != path || path.contains('\\')) return false;
  if (std::ranges::count(path, '/') >= static_cast<std::ptrdiff_t>(kDeepestPath)) return false;
  while (true) {
    const auto slash = path.find('/');
    if (!is_safe_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace brownout::bundle
