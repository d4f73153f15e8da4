// SPDX-License-Identifier: MIT
// A test's own thread in another network namespace, and back.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <sched.h>
#include <sys/types.h>

#include "../../userspace/kernel/netns.hpp"

namespace brownout::test {

// While it lives the calling thread is in the other namespace; the same thread must destroy it.
class NetnsVisit {
 public:
  static NetnsVisit enter(pid_t pid) {
    auto there = kernel::open_netns(pid), home = kernel::open_netns(0);
    if (!there || !home || ::setns(there->get(), CLONE_NEWNET) != 0)
      throw std::runtime_error("cannot enter a network namespace: root is needed");
    return NetnsVisit{*std::move(home)};
  }
  NetnsVisit(NetnsVisit&&) = default;
  NetnsVisit& operator=(NetnsVisit&&) = delete;
  ~NetnsVisit() {
    if (home_ && ::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
  }

 private:
  explicit NetnsVisit(UniqueFd home) : home_(std::move(home)) {}
  UniqueFd home_;
};

}  // namespace brownout::test
