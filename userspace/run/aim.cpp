// SPDX-License-Identifier: MIT
#include "aim.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "guard_watch.hpp"

namespace brownout::run {
namespace {

Result<kernel::Interface> only_interface(const target::Target& target) {
  if (target.host_network)
    return fail(ErrorCode::kUnsupported, fmt::format("'{}' uses the host's network namespace", target.name),
                "There is no veth of its own to inject on. Run the container with a network of its own.");
  BROWNOUT_ASSIGN(const auto veths, kernel::host_side_veths(target));
  if (veths.empty())
    return fail(ErrorCode::kUnsupported, fmt::format("'{}' has no veth whose other end is on this host", target.name),
                "brownout injects on the host-side end of the container's veth pair.");
  if (veths.size() > 1) {
    std::string names;
    for (const auto& veth : veths) names += fmt::format(" {} ({})", veth.host_name, veth.container_name);
    return fail(ErrorCode::kUnsupported, fmt::format("'{}' has {} networks:{}", target.name, veths.size(), names),
                "This version injects on containers with one network.");
  }
  return veths.front();
}

}  // namespace

Result<Aim> take_aim(const plan::Plan& plan) {
  Aim aim;
  BROWNOUT_ASSIGN(aim.target, target::resolve(plan.drill.target));
  BROWNOUT_TRY(GuardWatch(plan, aim.target).check_names());
  BROWNOUT_ASSIGN(aim.interface, only_interface(aim.target));
  return aim;
}

}  // namespace brownout::run
