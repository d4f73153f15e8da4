// SPDX-License-Identifier: MIT
// The flow table is bounded and evicts nothing by itself, so that no count is lost unseen: idle flows are swept here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brownout::kernel {

class FlowSweeper {
 public:
  explicit FlowSweeper(int map) : map_(map) {}
  // Does something at most once a second; returns how many flows were removed.
  std::size_t sweep(std::int64_t now_ns);

 private:
  int map_;
  std::int64_t next_ns_ = 0;
};

}  // namespace brownout::kernel
