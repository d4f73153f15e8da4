// SPDX-License-Identifier: MIT
#include <catch2/catch_test_macros.hpp>

#include "../../userspace/run/pressure.hpp"
#include "../../userspace/run/progress.hpp"

namespace run_pressure_test {

using brownout::run::human_duration;
using brownout::run::PressureWindow;

namespace {
constexpr std::int64_t kSecond = 1'000'000'000;
}

TEST_CASE("pressure counts what was completed within the span, not since the start") {
  PressureWindow window(20, 10 * kSecond);
  CHECK(window.completed_within() == 0);
  window.observe(0, 100);  // calls from before we looked do not count
  CHECK(window.completed_within() == 0);
  window.observe(5 * kSecond, 119);
  CHECK(window.completed_within() == 19);
  CHECK_FALSE(window.reached());
  window.observe(6 * kSecond, 120);
  CHECK(window.reached());
}

TEST_CASE("old calls slide out of the span") {
  PressureWindow window(20, 10 * kSecond);
  window.observe(0, 0);
  window.observe(1 * kSecond, 30);
  CHECK(window.reached());
  window.observe(10 * kSecond, 30);
  CHECK(window.completed_within() == 30);
  window.observe(11 * kSecond, 31);
  CHECK(window.completed_within() == 1);
  window.observe(100 * kSecond, 31);
  CHECK(window.completed_within() == 0);
}

TEST_CASE("what is left is said in the unit a person expects") {
  CHECK(human_duration(8 * 60 * kSecond) == "8 m");
  CHECK(human_duration(42 * kSecond) == "42 s");
  CHECK(human_duration(-1) == "0 s");
}

}  // namespace run_pressure_test
