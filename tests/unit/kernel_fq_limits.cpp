// SPDX-License-Identifier: MIT
// What fq may hold follows from the delay and from what was seen to pass: a limit that is too small is loss.
#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/edt_backend.hpp"

namespace kernel_fq_limits_test {

using namespace brownout::kernel;
using namespace std::chrono_literals;

TEST_CASE("fq's limits: room for bursts, bounded, and a horizon beyond the longest delay") {
  CHECK(fq_limits_for(1500ms, 20'000).packets == 240'000);  // 8 times what the delay holds at that rate
  CHECK(fq_limits_for(1s, 0).packets == 65'536);
  CHECK(fq_limits_for(10ms, 100'000).packets == 65'536);
  CHECK(fq_limits_for(60s, 1e6).packets == 1 << 20);
  CHECK(fq_limits_for(1500ms, 0).horizon == 2500ms);
  CHECK(fq_limits_for(60s, 0).horizon == 61s);
}

}  // namespace kernel_fq_limits_test
