// SPDX-License-Identifier: MIT
// What must be the same before and after: BPF links, programs and maps that no other living process holds; interfaces
// and qdiscs of the calling thread's network namespace.
#pragma once

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "../../userspace/kernel/netlink.hpp"
#include "brownout/fd.hpp"

namespace brownout::test {

class ObjectCensus {
 public:
  static ObjectCensus take() {
    ObjectCensus census;
    census.add_bpf("program", bpf_prog_get_next_id, [](std::uint32_t id) { return name_of_program(id); });
    census.add_bpf("map", bpf_map_get_next_id, [](std::uint32_t id) { return name_of_map(id); });
    census.add_bpf("link", bpf_link_get_next_id, [](std::uint32_t) { return std::string{}; });
    census.add_devices();
    return census;
  }

  // Programs and maps are freed after a grace period, so this waits for up to 5 s. Empty: all is as it was.
  std::string difference_after_waiting() const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (true) {
      const std::string difference = compare(take());
      if (difference.empty() || std::chrono::steady_clock::now() > deadline) return difference;
      std::this_thread::sleep_for(std::chrono::milliseconds{20});  // nothing announces that a program was freed
    }
  }
  const std::set<std::string>& lines() const { return lines_; }

 private:
  std::string compare(const ObjectCensus& now) const {
    std::string text;
    std::optional<std::set<std::string>> of_others;  // read only when there is something to explain
    for (const auto& line : now.lines_) {
      if (lines_.contains(line)) continue;
      if (!of_others) of_others = held_by_others();
      if (!of_others->contains(line.substr(0, line.rfind(' ')))) text += "left over: " + line + "\n";
    }
    for (const auto& line : lines_)
      // A program that was there and went was somebody else's; an interface or qdisc that went may be our doing.
      if (!now.lines_.contains(line) && (line.starts_with("interface") || line.starts_with("qdisc")))
        text += "missing: " + line + "\n";
    return text;
  }

  // "program 12", "map 7", ...: descriptors of processes that are neither this one nor below it.
  static std::set<std::string> held_by_others() {
    std::set<std::string> held;
    std::error_code ignored;  // processes end while we look
    for (const auto& process : std::filesystem::directory_iterator("/proc", ignored)) {
      const std::string pid = process.path().filename();
      if (pid.find_first_not_of("0123456789") != std::string::npos || is_ours(pid)) continue;
      for (const auto& entry : std::filesystem::directory_iterator(process.path() / "fdinfo", ignored)) {
        std::ifstream lines{entry.path()};
        for (std::string key, value; lines >> key >> value;)
          for (const auto& [field, kind] : {std::pair{"prog_id:", "program"}, {"map_id:", "map"}, {"link_id:", "link"}})
            if (key == field) held.insert(fmt::format("{} {}", kind, value));
      }
    }
    return held;
  }
  static bool is_ours(std::string pid) {
    while (pid != "0" && !pid.empty()) {
      if (pid == std::to_string(::getpid())) return true;
      std::ifstream status{"/proc/" + pid + "/status"};
      std::string key, parent;
      while (status >> key && key != "PPid:") {
      }
      status >> parent;
      pid = parent;
    }
    return false;
  }

  void add_bpf(const char* kind, int (*next)(__u32, __u32*), const std::function<std::string(std::uint32_t)>& name) {
    for (__u32 id = 0; next(id, &id) == 0;) lines_.insert(fmt::format("{} {} {}", kind, id, name(id)));
  }
  static std::string name_of_program(std::uint32_t id) {
    const UniqueFd fd{bpf_prog_get_fd_by_id(id)};
    bpf_prog_info info{};
    __u32 size = sizeof info;
    return fd && bpf_prog_get_info_by_fd(fd.get(), &info, &size) == 0 ? info.name : "";
  }
  static std::string name_of_map(std::uint32_t id) {
    const UniqueFd fd{bpf_map_get_fd_by_id(id)};
    bpf_map_info info{};
    __u32 size = sizeof info;
    return fd && bpf_map_get_info_by_fd(fd.get(), &info, &size) == 0 ? info.name : "";
  }
  void add_devices() {
    auto netlink = kernel::Netlink::open();
    if (!netlink) return;
    const auto links = netlink->ask({RTM_GETLINK, NLM_F_DUMP, ifinfomsg{}}, "list interfaces");
    for (const auto& reply : links.value())
      lines_.insert("interface " + kernel::attribute_text(reply.attribute(sizeof(ifinfomsg), IFLA_IFNAME)));
    const auto qdiscs = netlink->ask({RTM_GETQDISC, NLM_F_DUMP, tcmsg{}}, "list qdiscs");
    for (const auto& reply : qdiscs.value()) {
      tcmsg message{};
      std::memcpy(&message, reply.bytes.data(), sizeof message);
      lines_.insert(fmt::format("qdisc {} on interface {}",
                                kernel::attribute_text(reply.attribute(sizeof message, TCA_KIND)),
                                message.tcm_ifindex));
    }
  }

  std::set<std::string> lines_;
};

}  // namespace brownout::test
