// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include <fcntl.h>

#include <fmt/format.h>

#include "beneath.hpp"
#include "brownout/capabilities.hpp"
#include "brownout/events.hpp"
#include "file_bytes.hpp"
#include "run_glob.hpp"
#include "target_mounts.hpp"

namespace brownout::events {
namespace {

constexpr std::size_t kLongestManifest = std::size_t{4} << 20;
// As much as is copied of one file, and of all: what is larger is listed without a digest.
constexpr std::uint64_t kLargestDigested = std::uint64_t{512} << 20;
constexpr std::uint64_t kMostDigested = std::uint64_t{2} << 30;

// Where the glob is looked for; held open, so that it stays the same root when the process is gone.
struct Place {
  UniqueFd root;
  std::string pattern;
};

Result<Place> place_of(const drill::App& app, const target::Target& target) {
  const std::string root = app.run_dir_in_container ? fmt::format("/proc/{}/root", target.pid) : "/";
  BROWNOUT_ASSIGN(auto fd, open_file(root, O_PATH | O_DIRECTORY));
  std::error_code ignored;
  const auto pattern =
      app.run_dir_in_container ? std::filesystem::path{app.run_dir} : std::filesystem::absolute(app.run_dir, ignored);
  return Place{std::move(fd), pattern.string()};
}

Result<nlohmann::json> read_manifest(int directory_fd, const std::string& file) {
  BROWNOUT_ASSIGN(const auto fd, open_beneath(directory_fd, file));
  BROWNOUT_ASSIGN(const auto text, read_all(fd.get(), kLongestManifest));
  const Unprivileged parsing;
  return parse_json(text, file);
}

// What is in the directory is the container's affair: nothing there may end the drill or hold it up.
RunFile described(const FoundFile& file, const Result<UniqueFd>& opened, std::uint64_t& left) {
  RunFile entry{file.path, file.size, file.inode, file.mtime_ns, ""};
  if (!opened || file.size > std::min(kLargestDigested, left)) return entry;
  auto digest = digest_up_to(opened->get(), file.size);
  if (!digest) return entry;
  left -= digest->size;
  entry.size = digest->size;
  entry.sha256 = std::move(digest->sha256);
  return entry;
}

class HeldRunDirectory final : public RunDirectory {
 public:
  HeldRunDirectory(const drill::App& app, Place place, Candidate held, std::string run_id)
      : manifest_file_(app.manifest),
        place_(std::move(place)),
        held_(std::move(held)),
        path_(held_.path),
        run_id_(std::move(run_id)) {}

  const std::filesystem::path& path() const override { return path_; }
  std::string run_id() const override { return run_id_; }
  int fd() const override { return held_.directory.get(); }
  Result<nlohmann::json> manifest() const override { return read_manifest(fd(), manifest_file_); }
  Result<std::vector<RunFile>> list() const override;
  bool newer_run_exists() const override;

 private:
  std::string manifest_file_;
  Place place_;
  Candidate held_;
  std::filesystem::path path_;
  std::string run_id_;
};

Result<std::vector<RunFile>> HeldRunDirectory::list() const {
  BROWNOUT_ASSIGN(const auto found, walk_beneath(fd()));
  std::vector<RunFile> files;
  std::uint64_t left = kMostDigested;
  for (const auto& file : found) {
    if (!file.regular) continue;
    const auto opened = open_beneath(fd(), file.path);
    // Gone since (a temporary file of the app), or no file any more.
    if (!opened && opened.error().code != ErrorCode::kIo) continue;
    files.push_back(described(file, opened, left));
  }
  return files;
}

bool HeldRunDirectory::newer_run_exists() const {
  const auto newest = newest_match(place_.root.get(), place_.pattern);
  if (!newest) return newest.error().code == ErrorCode::kRefused;  // more have appeared than are looked through
  if (!*newest) return false;
  return (*newest)->inode != held_.inode || (*newest)->device != held_.device;
}

Result<std::string> check_run_id(const nlohmann::json& manifest, const std::string& file, const std::string& path) {
  const std::string name = std::filesystem::path{path}.filename().string();
  const auto found = manifest.find("run_id");
  if (found == manifest.end() || !found->is_string())
    return fail(ErrorCode::kRefused, fmt::format("run_not_of_target: {}/{} has no run_id", path, file),
                "The manifest's run_id must be the name of its directory.");
  if (*found != name)
    return fail(ErrorCode::kRefused,
                fmt::format("run_not_of_target: {}/{} has run_id {}, but the directory is {}", path, file,
                            found->dump(), name),
                "The directory was copied or renamed, or is not a run. Correct app.run_dir.");
  return name;
}

Result<> check_required_values(const drill::App& app, const nlohmann::json& manifest, const std::string& path) {
  for (const auto& [pointer, wanted] : app.require) {
    nlohmann::json found;  // null where there is nothing
    bool present = false;
    try {
      const nlohmann::json::json_pointer place{pointer};
      present = manifest.contains(place);
      if (present) found = manifest.at(place);
    } catch (const nlohmann::json::exception&) {
      return fail(ErrorCode::kUsage, fmt::format("app.require: '{}' is not a JSON pointer", pointer));
    }
    if (!present || found != wanted)
      return fail(ErrorCode::kRefused,
                  fmt::format("{}/{}: {} is {}, the drill requires {}", path, app.manifest, pointer,
                              present ? found.dump() : "absent", wanted.dump()),
                  "Nothing was attached. app.require keeps drills away from runs that they are not meant for.");
  }
  return {};
}

Result<> check_mount(const drill::App& app, const target::Target& target, const Candidate& candidate) {
  if (app.run_dir_in_container || target.pid <= 0) return {};
  BROWNOUT_ASSIGN(const bool seen, target_sees(candidate.directory.get(), target.pid));
  if (seen) return {};
  return fail(ErrorCode::kRefused,
              fmt::format("run_not_of_target: {} is on no mount of '{}'", candidate.path, target.name),
              "Name the host's side of the container's volume, or {in_container: PATH}.");
}

// A manifest that is being written is not there yet: the next look will find it whole.
Error as_not_yet(Error error, const std::string& path) {
  const bool waits = error.code == ErrorCode::kFormat || error.code == ErrorCode::kNotFound;
  if (waits) error.code = ErrorCode::kNotFound;
  return std::move(error).with_context("in the newest match, " + path);
}

}  // namespace

Result<std::unique_ptr<RunDirectory>> RunDirectory::find(const drill::App& app, const target::Target& target) {
  BROWNOUT_ASSIGN(auto place, place_of(app, target));
  BROWNOUT_ASSIGN(auto newest, newest_match(place.root.get(), place.pattern));
  if (!newest) return fail(ErrorCode::kNotFound, fmt::format("no directory matches {}", app.run_dir));
  const auto manifest = read_manifest(newest->directory.get(), app.manifest);
  if (!manifest) return std::unexpected(as_not_yet(manifest.error(), newest->path));
  if (!manifest->is_object())
    return fail(ErrorCode::kFormat, fmt::format("{}/{} is not a JSON object", newest->path, app.manifest));
  BROWNOUT_TRY(check_required_values(app, *manifest, newest->path));
  BROWNOUT_ASSIGN(auto run_id, check_run_id(*manifest, app.manifest, newest->path));
  BROWNOUT_TRY(check_mount(app, target, *newest));
  return std::make_unique<HeldRunDirectory>(app, std::move(place), std::move(*newest), std::move(run_id));
}

}  // namespace brownout::events
