// SPDX-License-Identifier: MIT
// brownout_correlation: how often app errors and failures are paired rightly, by how dense they are. JSON on stdout.
#include <chrono>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "machine.hpp"
#include "support/correlation_generator.hpp"

using namespace brownout;

namespace {

nlohmann::json run_cell(const test::CorrelationOptions& options) {
  const auto generated = test::CorrelationGenerator{options}.generate();
  const auto begun = std::chrono::steady_clock::now();
  const auto found = test::derive(generated.plan, generated.evidence);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  const auto pairs = test::found_pairs(found);
  const auto [precision, recall] = test::score(generated.truth, pairs);
  const auto seconds = [](std::int64_t ns) { return static_cast<double>(ns) / 1e9; };
  const auto gap_over_reach = static_cast<double>(options.mean_gap_ns) / static_cast<double>(findings::kMatchReachNs);
  fmt::print(stderr, "gap {:.2f} s, skew {:.2f} s: precision {:.4f}, recall {:.4f}, {:.2f} s\n",
             seconds(options.mean_gap_ns), seconds(options.skew_ns), precision, recall, took.count());
  return {{"mean_gap_s", seconds(options.mean_gap_ns)},
          {"gap_over_reach", gap_over_reach},
          {"skew_s", seconds(options.skew_ns)},
          {"failures", found.failures.size()},
          {"errors", found.app_errors.size()},
          {"true_pairs", generated.truth.size()},
          {"pairs", pairs.size()},
          {"precision", precision},
          {"recall", recall},
          {"delay_s", found.record_delay ? nlohmann::json(seconds(found.record_delay->delay_ns)) : nlohmann::json()},
          {"slack_s", found.record_delay ? nlohmann::json(seconds(found.record_delay->slack_ns)) : nlohmann::json()},
          {"components_beyond", found.components_not_exact},
          {"took_s", took.count()}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"precision and recall of pairing app errors with kernel failures"};
  std::vector<double> gaps{4, 2, 1, 0.5};
  std::vector<int> skews_ms{0, 1500};
  test::CorrelationOptions options;
  app.add_option("--gaps", gaps, "mean gap per destination, in reaches")->delimiter(',');
  app.add_option("--skews-ms", skews_ms)->delimiter(',');
  app.add_option("--destinations", options.destinations)->check(CLI::Range(1, 60000));
  app.add_option("--failures-each", options.failures_each)->check(CLI::PositiveNumber);
  app.add_option("--unmatched", options.unmatched)->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", options.seed);
  CLI11_PARSE(app, argc, argv);
  std::string command = "correlation";
  for (int i = 1; i < argc; ++i) command += fmt::format(" {}", argv[i]);
  nlohmann::json report{{"machine", bench::machine()}, {"command", command}};
  auto& suite = report["correlation"] = {{"absent", nlohmann::json::object()},
                                         {"destinations", options.destinations},
                                         {"unmatched", options.unmatched},
                                         {"cells", nlohmann::json::array()}};
  for (const double gap : gaps)
    for (const int skew_ms : skews_ms) {
      options.mean_gap_ns = static_cast<std::int64_t>(gap * static_cast<double>(findings::kMatchReachNs));
      options.skew_ns = skew_ms * test::kMillisecond;
      suite["cells"].push_back(run_cell(options));
    }
  fmt::print("{}\n", report.dump(2));
  return 0;
}
