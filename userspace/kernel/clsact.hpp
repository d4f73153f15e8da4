// SPDX-License-Identifier: MIT
// clsact filters and the qdisc that carries them: made, recognised as ours by program id and tag, removed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "bpf_objects.hpp"
#include "brownout/journal.hpp"

namespace brownout::kernel {

enum class HookSide : std::uint8_t { kIngress, kEgress };  // as the device sees it
std::string_view name(HookSide side);

struct FilterId {
  int ifindex = 0;
  HookSide side = HookSide::kIngress;
  std::uint32_t priority = 0, handle = 0;
  std::uint32_t program_id = 0;
  std::string program_tag;
};

// The qdisc that carries the filters of a device: made where there is none, and then removed with the last of us, unless
// somebody else has put a filter there meanwhile. In the network namespace of the calling thread, as all below.
class ClsactQdisc {
 public:
  ClsactQdisc() = default;
  ClsactQdisc(ClsactQdisc&& other) noexcept : ifindex_(std::exchange(other.ifindex_, 0)), device_(other.device_) {}
  ClsactQdisc& operator=(ClsactQdisc&& other) noexcept;
  ~ClsactQdisc() { static_cast<void>(remove()); }

  // `journal` may be null where the device dies with the process.
  static Result<ClsactQdisc> ensure(int ifindex, const std::string& device, Journal* journal);
  Result<> remove();
  // The device is ours: the qdisc goes with it.
  void leave_to_device() { ifindex_ = 0; }

 private:
  int ifindex_ = 0;  // 0: there was one already
  std::string device_;
};

// Fails with EINVAL where the priority holds filters of another kind.
Result<> add_filter(const FilterId& filter, int program_fd, const std::string& device);
// Whether the filter at that place runs that very program: ids are not used again before 2^31 programs were loaded,
// and the tag is the program's digest.
bool filter_is_there(const FilterId& filter);
Result<> remove_filter(const FilterId& filter, const std::string& device);
// Filters on both sides of the device, of anybody.
Result<std::size_t> count_filters(int ifindex);
Result<bool> has_clsact(int ifindex);
// False: it still carries filters.
Result<bool> remove_clsact_if_empty(int ifindex, const std::string& device);

}  // namespace brownout::kernel
