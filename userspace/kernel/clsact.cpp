// SPDX-License-Identifier: MIT
#include "clsact.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/pkt_sched.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "netlink.hpp"

namespace brownout::kernel {
namespace {

bpf_tc_hook hook_at(int ifindex, bpf_tc_attach_point where) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = ifindex;
  hook.attach_point = where;
  return hook;
}

bpf_tc_hook hook_of(const FilterId& filter) {
  return hook_at(filter.ifindex, filter.side == HookSide::kIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
}

Result<std::size_t> count_on(Netlink& netlink, int ifindex, std::uint32_t parent) {
  tcmsg which{};
  which.tcm_family = AF_UNSPEC;
  which.tcm_ifindex = ifindex;
  which.tcm_parent = parent;
  BROWNOUT_ASSIGN(const auto replies, netlink.ask({RTM_GETTFILTER, NLM_F_DUMP, which}, "list the filters of a device"));
  std::size_t filters = 0;
  for (const auto& reply : replies) {
    tcmsg found{};
    std::memcpy(&found, reply.bytes.data(), std::min(sizeof found, reply.bytes.size()));
    // Without a handle it is the head of a priority, not a filter.
    if (reply.type == RTM_NEWTFILTER && found.tcm_handle != 0) ++filters;
  }
  return filters;
}

}  // namespace

std::string_view name(HookSide side) { return side == HookSide::kIngress ? "ingress" : "egress"; }

ClsactQdisc& ClsactQdisc::operator=(ClsactQdisc&& other) noexcept {
  if (this == &other) return *this;
  static_cast<void>(remove());
  ifindex_ = std::exchange(other.ifindex_, 0);
  device_ = std::move(other.device_);
  return *this;
}

Result<ClsactQdisc> ClsactQdisc::ensure(int ifindex, const std::string& device, Journal* journal) {
  ClsactQdisc qdisc;
  BROWNOUT_ASSIGN(const bool there, has_clsact(ifindex));
  if (there) return qdisc;
  const nlohmann::json entry{{"device", device}, {"ifindex", ifindex}};
  const auto note = [&](const char* object) {
    auto line = entry;
    line["object"] = object;
    return journal ? journal->note(line) : Result<>{};
  };
  BROWNOUT_TRY(note("clsact"));
  auto hook = hook_at(ifindex, static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
  const int result = bpf_tc_hook_create(&hook);
  // Somebody was faster.
  if (result == -EEXIST) {
    BROWNOUT_TRY(note("clsact_of_others"));
    return qdisc;
  }
  if (result != 0)
    return fail_libbpf(result, "add a clsact qdisc to " + device,
                       "Below Linux 6.6 faults hang on clsact filters: modprobe sch_ingress cls_bpf.");
  qdisc.ifindex_ = ifindex;
  qdisc.device_ = device;
  return qdisc;
}

Result<> ClsactQdisc::remove() {
  if (ifindex_ == 0) return {};
  BROWNOUT_TRY(remove_clsact_if_empty(std::exchange(ifindex_, 0), device_));
  return {};
}

Result<> add_filter(const FilterId& filter, int program_fd, const std::string& device) {
  auto hook = hook_of(filter);
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program_fd, .handle = filter.handle, .priority = filter.priority);
  const int result = bpf_tc_attach(&hook, &options);
  if (result == 0) return {};
  return fail_libbpf(result, fmt::format("add a BPF filter to {} of {}", name(filter.side), device),
                     "If an `ingress` qdisc is on the device (tc qdisc show), it has no egress side: replace it by "
                     "clsact. Else: modprobe cls_bpf.");
}

bool filter_is_there(const FilterId& filter) {
  auto hook = hook_of(filter);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter.handle, .priority = filter.priority);
  if (bpf_tc_query(&hook, &options) != 0 || options.prog_id != filter.program_id) return false;
  const UniqueFd program{bpf_prog_get_fd_by_id(options.prog_id)};
  return program && program_info(program.get()).tag == filter.program_tag;
}

Result<> remove_filter(const FilterId& filter, const std::string& device) {
  auto hook = hook_of(filter);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter.handle, .priority = filter.priority);
  const int result = bpf_tc_detach(&hook, &options);
  if (result == 0 || result == -ENOENT || result == -ENODEV) return {};
  return fail_libbpf(result, fmt::format("remove our filter from {} of {}", name(filter.side), device));
}

Result<std::size_t> count_filters(int ifindex) {
  BROWNOUT_ASSIGN(auto netlink, Netlink::open());
  BROWNOUT_ASSIGN(const auto ingress, count_on(netlink, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)));
  BROWNOUT_ASSIGN(const auto egress, count_on(netlink, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)));
  return ingress + egress;
}

Result<bool> has_clsact(int ifindex) {
  BROWNOUT_ASSIGN(auto netlink, Netlink::open());
  tcmsg which{};
  which.tcm_family = AF_UNSPEC;
  which.tcm_ifindex = ifindex;
  BROWNOUT_ASSIGN(const auto replies, netlink.ask({RTM_GETQDISC, NLM_F_DUMP, which}, "list the qdiscs of a device"));
  return std::ranges::any_of(replies, [ifindex](const NetlinkReply& reply) {
    tcmsg found{};
    std::memcpy(&found, reply.bytes.data(), std::min(sizeof found, reply.bytes.size()));
    return reply.type == RTM_NEWQDISC && found.tcm_ifindex == ifindex &&
           attribute_text(reply.attribute(sizeof found, TCA_KIND)) == "clsact";
  });
}

Result<bool> remove_clsact_if_empty(int ifindex, const std::string& device) {
  BROWNOUT_ASSIGN(const auto filters, count_filters(ifindex));
  if (filters > 0) return false;
  auto hook = hook_at(ifindex, static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
  const int result = bpf_tc_hook_destroy(&hook);
  if (result == 0 || result == -ENOENT || result == -EINVAL || result == -ENODEV) return true;
  return fail_libbpf(result, "remove the clsact qdisc from " + device);
}

}  // namespace brownout::kernel
