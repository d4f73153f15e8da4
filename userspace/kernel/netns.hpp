// SPDX-License-Identifier: MIT
// Visits to another network namespace, by one thread and for as long as a token lives.
#pragma once

#include <cstdint>

#include "brownout/fd.hpp"

namespace brownout::kernel {

// While it lives the calling thread is in the other namespace; the same thread must destroy it. Sockets opened
// meanwhile stay in that namespace, so a visit can be as short as opening one.
class NetnsVisit {
 public:
  static Result<NetnsVisit> enter(std::int32_t pid);
  static Result<NetnsVisit> enter(const UniqueFd& netns);
  NetnsVisit(NetnsVisit&&) = default;
  NetnsVisit& operator=(NetnsVisit&&) = delete;
  ~NetnsVisit();

 private:
  explicit NetnsVisit(UniqueFd home) : home_(std::move(home)) {}
  UniqueFd home_;
};

Result<UniqueFd> open_netns(std::int32_t pid);  // 0: that of the calling thread
// A network namespace without a name, empty but for a lo that is down. It lives as long as the descriptor and what
// is opened in it: devices in it vanish with the process, however that ends.
Result<UniqueFd> make_netns();
Result<std::uint64_t> netns_inode(const UniqueFd& netns);

}  // namespace brownout::kernel
