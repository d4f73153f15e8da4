// SPDX-License-Identifier: MIT
// One target, BROWNOUT_FUZZ_TARGET, for libFuzzer: -DBROWNOUT_FUZZ=ON makes one executable of each.
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  brownout::fuzz::BROWNOUT_FUZZ_TARGET({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
