// SPDX-License-Identifier: MIT
#include "brownout/places.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "beneath.hpp"
#include "brownout/text.hpp"
#include "file_bytes.hpp"

namespace brownout::events {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

FoundFile described(std::string path, const struct stat& status) {
  FoundFile file{.path = std::move(path), .regular = S_ISREG(status.st_mode)};
  if (!file.regular) file.what = kind_of(status.st_mode);
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.inode = status.st_ino;
  file.mtime_ns = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
  return file;
}

// What is directly in the directory; names that no list can hold are shown as they can be.
Result<std::vector<FoundFile>> entries_of(int fd) {
  UniqueFd readable{::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!readable) return fail_errno(ErrorCode::kIo, "read the directory");
  const std::unique_ptr<DIR, CloseDirectory> directory{::fdopendir(readable.get())};
  if (!directory) return fail_errno(ErrorCode::kIo, "read the directory");
  readable.release();
  std::vector<FoundFile> found;
  errno = 0;
  while (const dirent* next = ::readdir(directory.get())) {
    const std::string name{next->d_name};
    struct stat status {};
    if (name != "." && name != ".." && ::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
      found.push_back(described(name, status));
      if (visible(name) != name) found.back() = {.path = visible(name), .what = "unprintable name"};
    }
    if (found.size() > kMostThere) break;
    errno = 0;
  }
  if (errno != 0) return fail_errno(ErrorCode::kIo, "read the directory");
  std::ranges::sort(found, {}, &FoundFile::path);
  return found;
}

class Listing {
 public:
  // Of a file: `at` names it in its directory.
  void add(int directory_fd, const FoundFile& file, const std::string& at) {
    PlaceFile listed{{file.path, file.size, file.inode, file.mtime_ns, ""}, file.regular ? "file" : file.what};
    if (file.regular && file.size <= std::min(kLargestDigestedThere, left_)) digest(directory_fd, at, listed);
    listing_.files.push_back(std::move(listed));
  }
  void add(int directory_fd, const Result<std::vector<FoundFile>>& found) {
    if (!found) return give_up(found.error().render());
    for (const auto& file : *found) {
      if (listing_.files.size() == kMostThere) return give_up(fmt::format("more than {} files", kMostThere));
      add(directory_fd, file, file.path);
    }
  }
  void give_up(std::string why) { listing_.problem = std::move(why); }
  PlaceListing take() { return std::move(listing_); }

 private:
  void digest(int directory_fd, const std::string& at, PlaceFile& listed) {
    const auto opened = open_beneath(directory_fd, at);
    auto found = opened ? digest_up_to(opened->get(), listed.size) : std::unexpected(opened.error());
    if (!found) return;
    left_ -= std::min(left_, found->size);
    listed.sha256 = std::move(found->sha256);
  }

  PlaceListing listing_;
  std::uint64_t left_ = kMostDigestedThere;
};

}  // namespace

PlaceListing list_place(const std::filesystem::path& path, Reach reach) {
  Listing listing;
  const auto place = open_file(path, O_PATH);
  struct stat status {};
  if (!place || ::fstat(place->get(), &status) != 0) {
    listing.give_up(place ? "it cannot be looked at" : place.error().render());
  } else if (S_ISDIR(status.st_mode)) {
    listing.add(place->get(), reach == Reach::kEntries ? entries_of(place->get()) : walk_beneath(place->get()));
  } else if (const auto above = open_file(path.parent_path(), O_PATH | O_DIRECTORY)) {
    listing.add(above->get(), described(".", status), path.filename());
  } else {
    listing.give_up(above.error().render());
  }
  return listing.take();
}

PlaceListing list_above(int directory_fd) {
  Listing listing;
  const UniqueFd above{::openat(directory_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!above) listing.give_up("it cannot be opened");
  else listing.add(above.get(), entries_of(above.get()));
  return listing.take();
}

nlohmann::json to_json(const PlaceListing& listing) {
  auto files = nlohmann::json::array();
  for (const auto& file : listing.files)
    files.push_back({{"path", file.path},
                     {"kind", file.kind},
                     {"size", file.size},
                     {"inode", file.inode},
                     {"mtime_ns", file.mtime_ns},
                     {"sha256", file.sha256}});
  return {{"files", std::move(files)},
          {"problem", listing.problem.empty() ? nlohmann::json(nullptr) : nlohmann::json(listing.problem)}};
}

}  // namespace brownout::events
