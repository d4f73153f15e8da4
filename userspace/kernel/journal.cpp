// SPDX-License-Identifier: MIT
#include "brownout/journal.hpp"

#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "netns.hpp"

namespace brownout::kernel {
namespace {

Result<nlohmann::json> owner() {
  BROWNOUT_ASSIGN(const auto started, process_start_ticks(::getpid()));
  BROWNOUT_ASSIGN(const UniqueFd netns, open_netns(0));
  BROWNOUT_ASSIGN(const auto inode, netns_inode(netns));
  return nlohmann::json{{"owner", {{"pid", ::getpid()}, {"start_ticks", started}, {"netns", inode}}}};
}

// For whoever runs as another user than root.
constexpr char kWhoseDirectory[] =
    "Changes that outlive the process are journalled before they are made: nothing was changed. As root, once a boot: "
    "install -d -m 0700 -o USER /run/brownout; chown -R USER /run/brownout (docs/security.md).";

Result<> make_directory(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail_errno(ErrorCode::kIo, "make the journal's directory " + directory.string(), kWhoseDirectory);
}

// Made by the first who cleaned. Who cannot lock it cannot undo anything.
Result<> check_lock_of_cleaners(const std::filesystem::path& directory) {
  const auto path = directory / kCleanLock;
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0 || errno == ENOENT) return {};
  return fail_errno(ErrorCode::kIo, "open " + path.string(), kWhoseDirectory);
}

struct Status {
  char state = '?';
  std::uint64_t start_ticks = 0;
};

// proc(5): state is field 3, starttime field 22. The name in parentheses, field 2, may hold anything.
Result<Status> read_status(std::int32_t pid) {
  auto stat = read_file(fmt::format("/proc/{}/stat", pid));
  if (!stat) {
    stat.error().code = ErrorCode::kNotFound;
    return std::unexpected(std::move(stat).error());
  }
  Status status;
  auto at = stat->rfind(')');
  if (at != std::string::npos && at + 2 < stat->size()) status.state = (*stat)[at + 2];
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat->find(' ', at + 1);
  if (at == std::string::npos ||
      std::from_chars(stat->data() + at + 1, stat->data() + stat->size(), status.start_ticks).ec != std::errc{})
    return fail(ErrorCode::kFormat, fmt::format("/proc/{}/stat has no start time", pid));
  return status;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& directory) {
  BROWNOUT_TRY(make_directory(directory));
  BROWNOUT_TRY(check_lock_of_cleaners(directory));
  BROWNOUT_ASSIGN(const auto self, owner());
  const auto path = directory / fmt::format("{}-{}.jsonl", ::getpid(), self["owner"]["start_ticks"].get<std::uint64_t>());
  auto file = open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  if (!file) return std::unexpected(std::move(file).error().with_hint(kWhoseDirectory));
  std::unique_ptr<Journal> journal{new Journal{path, std::move(*file)}};
  BROWNOUT_TRY(journal->mention(self));
  return journal;
}

Journal::~Journal() {
  if (settled_) ::unlink(path_.c_str());
}

Result<> Journal::note(const nlohmann::json& object) {
  settled_ = false;
  return mention(object);
}

Result<> Journal::mention(const nlohmann::json& file) {
  if (auto written = write_all(file_.get(), file.dump() + "\n"); !written)
    return std::unexpected(std::move(written).error().with_context(path_.string()));
  if (::fdatasync(file_.get()) != 0) return fail_errno(ErrorCode::kIo, "sync " + path_.string());
  return {};
}

Result<std::uint64_t> process_start_ticks(std::int32_t pid) {
  BROWNOUT_ASSIGN(const auto status, read_status(pid));
  return status.start_ticks;
}

Result<bool> is_alive(std::int32_t pid, std::uint64_t start_ticks) {
  const auto status = read_status(pid);
  if (!status && status.error().code == ErrorCode::kNotFound) return false;
  if (!status) return std::unexpected(status.error());
  return status->start_ticks == start_ticks && status->state != 'Z' && status->state != 'X';
}

}  // namespace brownout::kernel
