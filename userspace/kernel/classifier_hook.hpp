// SPDX-License-Identifier: MIT
// A traffic control program on one side of a device, ahead of other programs where the kernel allows it.
//
// tcx links (6.6) die with their descriptor. clsact filters (4.5) do not: outside a namespace of our own each is
// written into the journal before it is made, and the programs themselves go inert without a heartbeat.
#pragma once

#include <cstdint>
#include <string>

#include "bpf_objects.hpp"
#include "brownout/journal.hpp"
#include "clsact.hpp"

namespace brownout::kernel {

class ClassifierHook {
 public:
  struct Place {
    int ifindex = 0;
    std::string device;  // for messages
    HookSide side = HookSide::kIngress;
  };
  ClassifierHook() = default;
  ClassifierHook(ClassifierHook&& other) noexcept;
  ClassifierHook& operator=(ClassifierHook&& other) noexcept;
  ~ClassifierHook() { static_cast<void>(detach()); }

  // In the network namespace of the calling thread. A filter needs a ClsactQdisc that outlives it; `journal` may be
  // null where the device dies with the process.
  static Result<ClassifierHook> attach(HookKind kind, int program_fd, Place place, Journal* journal);

  explicit operator bool() const { return link_ || filter_.handle != 0; }
  // Returns when no CPU runs the program from here any more.
  Result<> detach();
  // A filter on a device of ours goes with the device; a link is closed with this object.
  void leave_to_device() { filter_ = {}; }
  std::uint32_t link_id() const;  // 0: a filter
  // "ingress filter priority 1 handle 0x1 of veth0", for whoever looks what is left.
  std::string description() const;

 private:
  Result<> attach_link(int program_fd);
  Result<> attach_filter(int program_fd, Journal* journal);

  Place place_;
  UniqueFd link_;
  FilterId filter_;
};

}  // namespace brownout::kernel
