// SPDX-License-Identifier: MIT
// What became different between two listings of files, and by whose hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/events.hpp"

namespace brownout::bundle {

struct Change {
  std::string place; // "run_dir", or the path of the place
  std::string path;  // in it
  std::string what;  // "made", "gone", "content", "replaced" (another inode), "size", "touched" (mtime alone)
  std::string by;    // "app", "brownout" or "others"
};
nlohmann::json to_json(const Change& change);

// host_files.json as it was recorded; nothing where there is none.
struct RecordedPlace {
  std::string path, role, problem; // problem: why before and after cannot be compared
  std::vector<events::RunFile> before, after;
};
struct HostFiles {
  std::optional<std::string> run_directory;
  std::vector<RecordedPlace> places;
  events::Ref ref; // the whole file
};
Result<std::optional<HostFiles>> read_host_files(const std::filesystem::path& directory);

// `ours`: absolute paths of files that brownout made. `whose`: who else may write there.
std::vector<Change> compare(const std::string& place, const std::string& folder,
                            const std::vector<events::RunFile>& before, const std::vector<events::RunFile>& after,
                            const std::set<std::string>& ours, const char* whose);

}  // namespace brownout::bundle
