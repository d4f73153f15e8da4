// SPDX-License-Identifier: MIT
#include "control_page.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace brownout::kernel {

namespace {

std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

Result<ControlPage> ControlPage::map(int map_fd) {
  void* page = mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (page == MAP_FAILED) return fail_errno(ErrorCode::kKernel, "map the control page into memory");
  return ControlPage{static_cast<brownout_control*>(page)};
}

ControlPage& ControlPage::operator=(ControlPage&& other) noexcept {
  std::swap(page_, other.page_);
  return *this;
}

ControlPage::~ControlPage() {
  if (page_ != nullptr) munmap(page_, page_size());
}

}  // namespace brownout::kernel
