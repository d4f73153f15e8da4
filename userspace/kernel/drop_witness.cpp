// SPDX-License-Identifier: MIT
#include <string_view>

#include <bpf/btf.h>

#include <fmt/format.h>

#include "drop_witness.hpp"
#include "netns.hpp"

namespace brownout::kernel {
namespace {

struct BtfDeleter {
  void operator()(btf* types) const { btf__free(types); }
};

// Reasons are renumbered between kernels: the names come from the running one. Empty before 5.17, which has none.
std::map<std::uint32_t, std::string> reason_names() {
  std::map<std::uint32_t, std::string> names;
  const std::unique_ptr<btf, BtfDeleter> types{btf__load_vmlinux_btf()};
  if (!types) return names;
  const int id = btf__find_by_name_kind(types.get(), "skb_drop_reason", BTF_KIND_ENUM);
  if (id < 0) return names;
  const btf_type* type = btf__type_by_id(types.get(), static_cast<std::uint32_t>(id));
  const struct btf_enum* values = btf_enum(type);
  for (std::uint16_t i = 0; i < btf_vlen(type); ++i) {
    std::string_view name = btf__name_by_offset(types.get(), values[i].name_off);
    for (const std::string_view prefix : {"SKB_DROP_REASON_", "SKB_"})
      if (name.starts_with(prefix)) {
        name.remove_prefix(prefix.size());
        break;
      }
    names.emplace(static_cast<std::uint32_t>(values[i].val), name);
  }
  return names;
}

class KernelDropWitness final : public DropWitness {
 public:
  KernelDropWitness(WitnessSkeleton skeleton, std::map<std::uint32_t, std::string> names)
      : skeleton_(std::move(skeleton)), names_(std::move(names)) {}

  std::map<std::string, std::uint64_t> dropped() const override {
    std::map<std::string, std::uint64_t> counts;
    const int map = bpf_map__fd(skeleton_->maps.dropped);
    const std::uint32_t slots = bpf_map__max_entries(skeleton_->maps.dropped);
    for (std::uint32_t reason = 0; reason < slots; ++reason) {
      const auto count = sum_over_cpus<std::uint64_t>(map, reason);
      if (count == 0) continue;
      const auto name = names_.find(reason);
      counts[name != names_.end()  ? name->second
             : reason + 1 == slots ? "SUBSYSTEM"
                                   : fmt::format("{}", reason)] += count;
    }
    return counts;
  }

 private:
  WitnessSkeleton skeleton_;
  std::map<std::uint32_t, std::string> names_;
};

}  // namespace

Result<WitnessSkeleton> load_witness(int ifindex) {
  quiet_libbpf();
  WitnessSkeleton skeleton{witness_bpf__open()};
  if (!skeleton) return fail_libbpf(0, "open the drop witness");
  BROWNOUT_ASSIGN(const UniqueFd netns, open_netns(0));
  BROWNOUT_ASSIGN(const std::uint64_t inode, netns_inode(netns));
  skeleton->rodata->device_ifindex = static_cast<std::uint32_t>(ifindex);
  skeleton->rodata->device_netns = static_cast<std::uint32_t>(inode);
  if (const int result = witness_bpf__load(skeleton.get()); result != 0)
    return fail_libbpf(result, "load the drop witness (tp_btf/kfree_skb)");
  return skeleton;
}

Result<std::map<std::uint32_t, std::string>> drop_reasons() {
  auto names = reason_names();
  if (names.empty())
    return fail(ErrorCode::kUnsupported, "this kernel does not say why it drops packets",
                "skb:kfree_skb has reasons since Linux 5.17; /sys/kernel/btf/vmlinux is needed to name them.");
  return names;
}

Result<std::unique_ptr<DropWitness>> DropWitness::attach(int ifindex) {
  BROWNOUT_ASSIGN(auto names, drop_reasons());
  BROWNOUT_ASSIGN(auto skeleton, load_witness(ifindex));
  if (const int result = witness_bpf__attach(skeleton.get()); result != 0)
    return fail_libbpf(result, "attach the drop witness to skb:kfree_skb");
  return std::make_unique<KernelDropWitness>(std::move(skeleton), std::move(names));
}

}  // namespace brownout::kernel
