// SPDX-License-Identifier: MIT
// Jitter from the drill to the plan: tables, labels, bounds.
#include <filesystem>

#include <catch2/catch_test_macros.hpp>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "brownout/plan.hpp"

namespace plan_jitter_test {

using namespace brownout;
using namespace brownout::plan;
using drill::Distribution;

namespace {

constexpr std::string_view kSteps = "# three steps\n -8192 0\n16384 # the last\n";

Plan plan_of(const std::string& latencies, const std::string& rest = "") {
  std::string text = "brownout: 1\nname: p\ntarget: {pid: 1}\n" + rest + "faults:\n";
  for (std::size_t at = 0; at < latencies.size();) {
    const auto end = std::min(latencies.find('|', at), latencies.size());
    text += "  - {latency: {" + latencies.substr(at, end - at) + "}, match: all}\n";
    at = end + 1;
  }
  auto drill = drill::parse(text, "p.yaml", [](std::size_t, const std::string&) { return std::string{kSteps}; });
  if (!drill) FAIL(drill.error().render());
  auto plan = compile(*std::move(drill), 42);
  if (!plan) FAIL(plan.error().render());
  return *std::move(plan);
}

}  // namespace

TEST_CASE("the named tables are netem's, value by value") {
  // Held by digest, so that a machine whose libm rounds otherwise is found out; and against the files of iproute2.
  struct Known { Distribution distribution; const char* file; const char* sha256; };
  constexpr Known kKnown[] = {
      {Distribution::kNormal, "normal.dist", "ea496767068d0be9eb46cb69ee90470105525b9090a6d479dadf04db0f3d44a5"},
      {Distribution::kPareto, "pareto.dist", "bb133e76721f7df4fd75dd647aad368fa8e9eaf9b9797fc8d208dde5f9ffbd2a"},
      {Distribution::kParetoNormal, "paretonormal.dist", "ca372e5f4871aa11f38e71c82bd18e074e068f0704291e8a859ebd1aaee2f9f1"}};
  for (const auto& [distribution, file, digest] : kKnown) {
    INFO(file);
    const auto plan = plan_of("delay: 10ms, jitter: 1ms, distribution: " +
                              std::string{file}.substr(0, std::string_view{file}.find('.')));
    REQUIRE(plan.tables.size() == 1);
    CHECK(plan.tables[0].values.size() == 4096);
    CHECK(plan.tables[0].sha256 == digest);
    CHECK(plan.tables[0].file_sha256.empty());
    for (const auto* folder : {"/usr/lib/tc", "/usr/lib/x86_64-linux-gnu/tc", "/usr/lib/aarch64-linux-gnu/tc",
                               "/usr/share/tc", "/lib/tc"}) {
      const auto path = std::filesystem::path{folder} / file;
      if (!std::filesystem::exists(path)) continue;
      auto drill = drill::parse("brownout: 1\nname: p\ntarget: {pid: 1}\nfaults: [{latency: {delay: 10ms, jitter: 1ms, "
                                "distribution: " + path.string() + "}, match: all}]", "p.yaml",
                                drill::tables_beside("/"));
      REQUIRE(drill);
      CHECK(drill->tables[0].values == named_table(distribution));
    }
  }
  CHECK(named_table(Distribution::kUniform).empty());
}

TEST_CASE("each table is in the plan once") {
  const Plan plan = plan_of(
      "delay: 10ms, jitter: 1ms, distribution: pareto|delay: 10ms, jitter: 2ms, distribution: a.dist|"
      "delay: 9ms, jitter: 1ms, distribution: pareto|delay: 9ms, jitter: 1ms, distribution: ./b|"
      "delay: 9ms, jitter: 1ms, distribution: a.dist|delay: 9ms, jitter: 1ms, distribution: uniform");
  REQUIRE(plan.tables.size() == 3);
  CHECK(plan.tables[0].name == "pareto");
  CHECK(plan.tables[1].name == "a.dist");
  CHECK(plan.tables[2].name == "./b");
  CHECK(plan.tables[1].values == std::vector<std::int16_t>{-8192, 0, 16384});
  CHECK(plan.tables[1].file_sha256 == sha256(kSteps));
  std::vector<std::uint32_t> numbers;
  for (const auto& fault : plan.faults) numbers.push_back(fault.abi.distribution);
  CHECK(numbers == std::vector<std::uint32_t>{1, 2, 1, 3, 2, 0});
  const auto json = to_json(plan);
  CHECK(json["jitter_tables"].size() == 3);
  CHECK(json["jitter_tables"][1]["file_sha256"] == sha256(kSteps));
  CHECK(json["jitter_tables"][0]["file_sha256"].is_null());
  CHECK(json["faults"][1]["jitter"]["distribution"] == "file");
  CHECK(json["faults"][1]["jitter"]["table"] == "a.dist");
}

TEST_CASE("correlation, reorder and backend reach the programs and the JSON") {
  const Plan plan = plan_of("delay: 10ms, jitter: 1ms, correlation: 25%, reorder: true|delay: 10ms", "backend: edt\n");
  CHECK(plan.faults[0].abi.reuse_threshold == (1ULL << 30));
  CHECK(plan.faults[0].abi.flags == BROWNOUT_FAULT_REORDER);
  CHECK(plan.faults[1].abi.reuse_threshold == 0);
  CHECK(plan.faults[1].abi.flags == 0);
  CHECK(plan.backend == drill::Backend::kEdt);
  CHECK(to_json(plan)["backend"] == "edt");
  CHECK(to_json(plan)["faults"][0]["jitter"]["correlation"] == 0.25);
  CHECK(to_json(plan)["faults"][0]["jitter"]["reorder"] == true);
  CHECK(to_json(plan_of("delay: 1ms"))["backend"] == "auto");
  CHECK(plan.faults[0].label == "latency 10ms±1ms correlation 25% reorder everything, both directions");
  CHECK(plan_of("delay: 10ms, jitter: 1ms, distribution: pareto").faults[0].label ==
        "latency 10ms±1ms pareto everything, both directions");
}

TEST_CASE("the deadline leaves room for the longest that a table can hold") {
  const std::string phases = "phases: {inject: 10s}\n";
  const Plan plain = plan_of("delay: 1s, jitter: 1s", phases);
  CHECK(longest_delay_ns(plain, plain.faults[0]) == 2'000'000'000);
  const Plan steps = plan_of("delay: 1s, jitter: 1s, distribution: a.dist", phases);  // two deviations at most
  CHECK(longest_delay_ns(steps, steps.faults[0]) == 3'000'000'001);
  CHECK(steps.max_duration_ns == 18'000'000'001);
  const Plan pareto = plan_of("delay: 1s, jitter: 1s, distribution: pareto", phases);
  CHECK(longest_delay_ns(pareto, pareto.faults[0]) > 4'990'000'000);
}

TEST_CASE("the centre of a skewed distribution is between its median and its mean") {
  const Plan uniform = plan_of("delay: 100ms, jitter: 50ms");
  CHECK(centre_of_delay(uniform, uniform.faults[0]).median_ns == 100e6);
  CHECK(centre_of_delay(uniform, uniform.faults[0]).mean_ns == 100e6);
  const Plan pareto = plan_of("delay: 100ms, jitter: 50ms, distribution: pareto");
  const auto centre = centre_of_delay(pareto, pareto.faults[0]);
  CHECK(centre.median_ns < 86e6);
  CHECK(centre.median_ns > 82e6);
  CHECK(centre.mean_ns > 95e6);
  CHECK(centre.mean_ns < 101e6);
}

}  // namespace plan_jitter_test
