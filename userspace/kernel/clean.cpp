// SPDX-License-Identifier: MIT
// What processes of ours left behind that could not end in order: read from their journals, proven ours, undone.
#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <sstream>

#include <net/if.h>
#include <sys/file.h>
#include <unistd.h>
#include <fcntl.h>

#include <fmt/format.h>

#include "clsact.hpp"
#include "journal.hpp"
#include "netns.hpp"

namespace brownout::kernel {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestJournal = std::size_t{1} << 20;


// An index is never given twice in one boot, but a device may have been renamed.
std::optional<std::string> current_name(int ifindex) {
  std::array<char, IF_NAMESIZE> name{};
  if (!::if_indextoname(static_cast<unsigned>(ifindex), name.data())) return std::nullopt;
  return std::string{name.data()};
}

Result<std::vector<json>> read_journal(const std::filesystem::path& path) {
  BROWNOUT_ASSIGN(const std::string text, read_file(path, kLargestJournal));
  std::vector<json> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) {
    auto parsed = json::parse(line, nullptr, false);
    // Only the last line can be torn: by a process that was killed before it made what the line would have named.
    if (parsed.is_object()) lines.push_back(std::move(parsed));
  }
  return lines;
}

Result<bool> owner_lives(const json& owner) {
  const auto started = process_start_ticks(owner.at("pid").get<std::int32_t>());
  if (!started) {
    if (started.error().code == ErrorCode::kNotFound) return false;
    return std::unexpected(started.error());
  }
  return *started == owner.at("start_ticks").get<std::uint64_t>();
}

Result<bool> in_our_netns(const json& owner) {
  BROWNOUT_ASSIGN(const UniqueFd netns, open_netns(0));
  BROWNOUT_ASSIGN(const auto inode, netns_inode(netns));
  return inode == owner.at("netns").get<std::uint64_t>();
}

class Cleaner {
 public:
  explicit Cleaner(CleanReport& report) : report_(report) {}

  // True: nothing in it needs us any more.
  Result<bool> undo(const std::filesystem::path& path);

 private:
  bool undo_filter(const json& line);
  bool undo_clsact(const json& line);
  bool failed(std::string what) {
    report_.failed.push_back(std::move(what));
    return false;
  }

  CleanReport& report_;
};

bool Cleaner::undo_filter(const json& line) {
  const FilterId filter{.ifindex = line.at("ifindex"),
                        .side = line.at("side") == "ingress" ? HookSide::kIngress : HookSide::kEgress,
                        .priority = line.at("priority"),
                        .handle = line.at("handle"),
                        .program_id = line.at("program_id"),
                        .program_tag = line.at("program_tag")};
  const auto device = current_name(filter.ifindex);
  // The device took it along, the kernel had refused it, or another program is there now: nothing of ours.
  if (!device || !filter_is_there(filter)) return true;
  const auto what = fmt::format("filter on {} of {} (program {}, tag {})", name(filter.side), *device,
                                filter.program_id, filter.program_tag);
  if (const auto removed = remove_filter(filter, *device); !removed) return failed(removed.error().render());
  report_.undone.push_back(what);
  return true;
}

bool Cleaner::undo_clsact(const json& line) {
  const int ifindex = line.at("ifindex");
  const auto device = current_name(ifindex);
  if (!device) return true;
  const auto there = has_clsact(ifindex);
  if (!there) return failed(there.error().render());
  if (!*there) return true;
  const auto removed = remove_clsact_if_empty(ifindex, *device);
  if (!removed) return failed(removed.error().render());
  if (*removed)
    report_.undone.push_back("clsact qdisc of " + *device);
  else
    report_.left_alone.push_back(fmt::format("clsact qdisc of {}: filters of others are on it now", *device));
  return true;
}

Result<bool> Cleaner::undo(const std::filesystem::path& path) {
  BROWNOUT_ASSIGN(const auto lines, read_journal(path));
  if (lines.empty() || !lines.front().contains("owner")) {
    report_.left_alone.push_back(path.string() + ": not a journal of brownout's");
    return false;
  }
  const json& owner = lines.front().at("owner");
  BROWNOUT_ASSIGN(const bool lives, owner_lives(owner));
  if (lives) {
    report_.left_alone.push_back(fmt::format("objects of process {}, which lives", owner.at("pid").dump()));
    return false;
  }
  BROWNOUT_ASSIGN(const bool ours, in_our_netns(owner));
  if (!ours) {
    report_.left_alone.push_back(fmt::format("objects of process {}: made in another network namespace ({}); run "
                                             "`brownout clean` there",
                                             owner.at("pid").dump(), owner.at("netns").dump()));
    return false;
  }
  bool done = true;
  for (const auto& line : lines)
    if (line.value("object", "") == "filter") done = undo_filter(line) && done;
  // After the filters that it carries, unless it was somebody else's after all.
  const auto of_others = [&](const json& qdisc) {
    return std::ranges::any_of(lines, [&](const json& line) {
      return line.value("object", "") == "clsact_of_others" && line.at("ifindex") == qdisc.at("ifindex");
    });
  };
  for (const auto& line : lines)
    if (line.value("object", "") == "clsact" && !of_others(line)) done = undo_clsact(line) && done;
  return done;
}

}  // namespace

Result<CleanReport> clean(const std::filesystem::path& journals) {
  quiet_libbpf();
  CleanReport report;
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator{journals, error})
    if (entry.path().extension() == ".jsonl") paths.push_back(entry.path());
  if (error && error != std::errc::no_such_file_or_directory)
    return fail_errno(ErrorCode::kIo, error.value(), "read the journals in " + journals.string());
  if (paths.empty()) return report;
  // Two cleaners would report each other's work as failures.
  BROWNOUT_ASSIGN(const UniqueFd lock, open_file(journals / "clean.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(lock.get(), LOCK_EX) != 0) return fail_errno(ErrorCode::kIo, "lock " + journals.string());
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    Cleaner cleaner{report};
    try {
      const auto done = cleaner.undo(path);
      if (!done) report.failed.push_back(done.error().render());
      else if (*done) ::unlink(path.c_str());
    } catch (const json::exception& malformed) {
      report.left_alone.push_back(fmt::format("{}: {}", path.string(), malformed.what()));
    }
  }
  return report;
}

}  // namespace brownout::kernel
