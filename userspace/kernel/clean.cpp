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

#include "brownout/clock.hpp"
#include "brownout/journal.hpp"
#include "clsact.hpp"
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
  return is_alive(owner.at("pid").get<std::int32_t>(), owner.at("start_ticks").get<std::uint64_t>());
}

Result<bool> in_our_netns(const json& owner) {
  BROWNOUT_ASSIGN(const UniqueFd netns, open_netns(0));
  BROWNOUT_ASSIGN(const auto inode, netns_inode(netns));
  return inode == owner.at("netns").get<std::uint64_t>();
}

class Cleaner {
 public:
  Cleaner(CleanReport& report, const std::string& by) : report_(report), by_(by) {}

  // True: nothing in it needs us any more.
  Result<bool> undo(const std::filesystem::path& path);

 private:
  bool undo_filter(const json& line);
  bool undo_clsact(const json& line);
  void remove_lock(const json& line);
  void find_evidence(const std::vector<json>& lines);
  void write_beside_evidence(const std::string& object, const std::string& result);
  void undone(std::string object) {
    write_beside_evidence(object, "ok");
    report_.undone.push_back(std::move(object));
  }
  bool failed(const std::string& object, const Error& why) {
    write_beside_evidence(object, why.render());
    report_.failed.push_back(why.render());
    return false;
  }

  CleanReport& report_;
  const std::string& by_;
  std::filesystem::path evidence_;  // of the dead process; empty: none, or it was sealed
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
  if (const auto removed = remove_filter(filter, *device); !removed) return failed(what, removed.error());
  undone(what);
  return true;
}

bool Cleaner::undo_clsact(const json& line) {
  const int ifindex = line.at("ifindex");
  const auto device = current_name(ifindex);
  if (!device) return true;
  const auto what = "clsact qdisc of " + *device;
  const auto there = has_clsact(ifindex);
  if (!there) return failed(what, there.error());
  if (!*there) return true;
  const auto removed = remove_clsact_if_empty(ifindex, *device);
  if (!removed) return failed(what, removed.error());
  if (*removed)
    undone(what);
  else
    report_.left_alone.push_back(what + ": filters of others are on it now");
  return true;
}

// Whoever holds it now has it by right; who takes it while we look waits for a moment.
void Cleaner::remove_lock(const json& line) {
  const std::filesystem::path path = line.at("path").get<std::string>();
  const auto file = open_file(path, O_RDWR | O_NOFOLLOW);
  if (file && ::flock(file->get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
}

void Cleaner::find_evidence(const std::vector<json>& lines) {
  for (const auto& line : lines) {
    if (line.value("object", "") != "evidence") continue;
    const std::filesystem::path directory = line.at("path").get<std::string>();
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error)) continue;
    evidence_ = directory;
    report_.unsealed.push_back(directory.string());
  }
}

// As far as possible: that a change of the host is undone matters more than that it is written down.
void Cleaner::write_beside_evidence(const std::string& object, const std::string& result) {
  if (evidence_.empty()) return;
  const auto file = open_file(evidence_ / kUndoneFile, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  if (!file) return;
  const json line{{"t_mono_ns", monotonic_ns()}, {"by", by_}, {"what", "undo"}, {"object", object}, {"result", result}};
  static_cast<void>(write_all(file->get(), line.dump() + "\n"));
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
  // Files are the same from every network namespace.
  find_evidence(lines);
  for (const auto& line : lines)
    if (line.value("object", "") == "lock") remove_lock(line);
  const auto is_of_netns = [](const json& line) {
    const auto object = line.value("object", "");
    return object == "filter" || object == "clsact";
  };
  if (std::ranges::none_of(lines, is_of_netns)) return true;
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

Result<CleanReport> clean(const std::filesystem::path& journals, const std::string& by) {
  quiet_libbpf();
  CleanReport report;
  std::error_code error;
  if (!std::filesystem::is_directory(journals, error)) return report;
  // Two cleaners would report each other's work as failures.
  BROWNOUT_ASSIGN(const UniqueFd lock, open_file(journals / kCleanLock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(lock.get(), LOCK_EX) != 0) return fail_errno(ErrorCode::kIo, "lock " + journals.string());
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator{journals, error})
    if (entry.path().extension() == ".jsonl") paths.push_back(entry.path());
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "read the journals in " + journals.string());
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    Cleaner cleaner{report, by};
    try {
      const auto done = cleaner.undo(path);
      // Gone since it was listed: its owner came to a good end.
      if (!done && done.error().code == ErrorCode::kNotFound) continue;
      if (!done) report.failed.push_back(done.error().render());
      else if (*done) ::unlink(path.c_str());
    } catch (const json::exception& malformed) {
      report.left_alone.push_back(fmt::format("{}: {}", path.string(), malformed.what()));
    }
  }
  return report;
}

}  // namespace brownout::kernel
