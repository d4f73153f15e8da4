// SPDX-License-Identifier: MIT
#include "changes.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "layout.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;
using events::RunFile;

const char* difference(const RunFile& before, const RunFile& after) {
  if (!before.sha256.empty() && !after.sha256.empty() && before.sha256 != after.sha256) return "content";
  if (before.size != after.size) return "size";
  if (before.inode != after.inode) return "replaced";
  return before.mtime_ns == after.mtime_ns ? nullptr : "touched";
}

std::vector<RunFile> files_of(const json& listing) {
  std::vector<RunFile> files;
  for (const auto& file : listing.at("files"))
    files.push_back({file.at("path"), file.at("size"), file.at("inode"), file.at("mtime_ns"), file.at("sha256")});
  return files;
}

std::string problem_of(const json& place) {
  for (const char* when : {"before", "after"})
    if (const auto& problem = place.at(when).at("problem"); !problem.is_null())
      return fmt::format("{}: {}", when, problem.get<std::string>());
  return {};
}

// Whoever wrote the file may have meant harm: each change names its place.
void refuse_too_much(const json& document) {
  static constexpr std::size_t kMostPlaces = 17, kLongestPath = 4096;
  const auto& places = document.at("places");
  if (places.size() > kMostPlaces) throw json::other_error::create(501, "too many places", &document);
  for (const auto& place : places)
    if (place.at("path").get_ref<const std::string&>().size() > kLongestPath)
      throw json::other_error::create(501, "a path that is too long", &document);
}

HostFiles parsed(const json& document) {
  refuse_too_much(document);
  HostFiles found;
  if (!document.at("run_directory").is_null()) found.run_directory = document.at("run_directory").get<std::string>();
  for (const auto& place : document.at("places"))
    found.places.push_back({place.at("path"), place.at("role"), problem_of(place), files_of(place.at("before")),
                            files_of(place.at("after"))});
  return found;
}

std::map<std::string, const RunFile*> by_path(const std::vector<RunFile>& files) {
  std::map<std::string, const RunFile*> found;
  for (const auto& file : files) found.emplace(file.path, &file);
  return found;
}

}  // namespace

json to_json(const Change& change) {
  return {{"place", change.place}, {"path", change.path}, {"what", change.what}, {"by", change.by}};
}

Result<std::optional<HostFiles>> read_host_files(const std::filesystem::path& directory) {
  const auto text = read_file(directory / kHostFiles, kLargestDocument);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::optional<HostFiles>{};
  if (!text) return std::unexpected(text.error());
  BROWNOUT_ASSIGN(const auto document, events::parse_json(*text, kHostFiles));
  try {
    auto found = parsed(document);
    found.ref = {std::string{kHostFiles}, 1, static_cast<int>(std::ranges::count(*text, '\n')),
                 sha256(*text).substr(0, 16)};
    return found;
  } catch (const json::exception& error) {
    return fail(ErrorCode::kFormat, fmt::format("{}: {}", kHostFiles, error.what()));
  }
}

std::vector<Change> compare(const std::string& place, const std::string& folder, const std::vector<RunFile>& before,
                            const std::vector<RunFile>& after, const std::set<std::string>& ours, const char* whose) {
  std::vector<Change> changes;
  const auto then = by_path(before), now = by_path(after);
  const auto add = [&](const std::string& path, const char* what) {
    const auto whole = (std::filesystem::path{folder} / path).lexically_normal().string();
    changes.push_back({place, path, what, ours.contains(whole) ? "brownout" : whose});
  };
  for (const auto& [path, file] : then) {
    const auto again = now.find(path);
    if (again == now.end()) add(path, "gone");
    else if (const char* what = difference(*file, *again->second)) add(path, what);
  }
  for (const auto& [path, file] : now)
    if (!then.contains(path)) add(path, "made");
  return changes;
}

}  // namespace brownout::bundle
