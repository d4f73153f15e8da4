// SPDX-License-Identifier: MIT
// The control map, in our memory: a store here is what the programs read next, without a system call.
#pragma once

#include <utility>

#include "brownout/abi/brownout.h"
#include "brownout/error.hpp"

namespace brownout::kernel {

class ControlPage {
 public:
  static Result<ControlPage> map(int map_fd);
  ControlPage(ControlPage&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
  ControlPage& operator=(ControlPage&& other) noexcept;
  ~ControlPage();

  brownout_control* get() const { return page_; }

 private:
  explicit ControlPage(brownout_control* page) : page_(page) {}
  brownout_control* page_ = nullptr;
};

}  // namespace brownout::kernel
