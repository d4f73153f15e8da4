// SPDX-License-Identifier: MIT
// One direction of the edt backend: a veth pair with sch_fq on its outer end, which turns packets round at the inner.
//
// The inner end is in a network namespace that only this process holds, so that the pair vanishes with the process.
#pragma once

#include <cstdint>
#include <string>

#include "classifier_hook.hpp"
#include "hookings.hpp"
#include "inject.skel.h"
#include "netlink.hpp"
#include "qdisc.hpp"

namespace brownout::kernel {

// Prefix as of the delay line's device: what starts with "brownout" on a machine is ours.
class EdtLane {
 public:
  struct Config {
    HookKind hook = HookKind::kTcx;
    std::size_t direction = 0;
    const UniqueFd& netns;  // of the inner end
    FqLimits limits;
  };
  // Up, with its qdisc, but without programs: nothing is sent here yet.
  static Result<EdtLane> make(const Config& config);
  Result<> attach(inject_bpf& skeleton, const UniqueFd& netns);
  // The pair is gone when it returns.
  Result<> remove();
  EdtLane() = default;
  EdtLane(EdtLane&&) = default;
  EdtLane& operator=(EdtLane&&) = default;

  int ifindex() const { return outer_.ifindex; }
  const std::string& device() const { return outer_.device; }
  std::uint32_t gso_max() const { return gso_max_; }
  // SKB_GSO_* kinds that go through in one piece.
  std::uint32_t gso_types() const { return gso_types_; }
  struct State {
    QueueState queue;
    std::uint64_t device_drops = 0;  // of both ends
  };
  Result<State> state();
  void append_objects(ObjectIds& ids) const;

 private:
  struct End {
    int ifindex = 0;
    std::string device;
    std::unique_ptr<Netlink> netlink;  // of the namespace it is in
    ClassifierHook ingress, egress;
  };
  Result<> make_pair(const Config& config);
  Result<> set_up(const FqLimits& limits, const UniqueFd& netns);
  Result<> attach_end(End& end, const Hookings& hookings);

  HookKind hook_ = HookKind::kTcx;
  End outer_, inner_;
  std::uint32_t gso_max_ = 65536, gso_types_ = 0;
};

}  // namespace brownout::kernel
