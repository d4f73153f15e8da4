// SPDX-License-Identifier: MIT
// judge_evidence DIRECTORY: writes the evidence that bench/judge has judged. What is in it: tests/support/long_drill.hpp.
#include <exception>

#include <CLI/CLI.hpp>

#include "support/long_drill.hpp"

int main(int argc, char** argv) {
  CLI::App app{"evidence of a long and busy drill"};
  std::filesystem::path directory;
  brownout::test::LongDrill long_drill;
  app.add_option("directory", directory, "must not have evidence yet")->required();
  app.add_option("--events", long_drill.events)->check(CLI::PositiveNumber);
  app.add_option("--failures", long_drill.failures);
  app.add_option("--seconds", long_drill.seconds)->check(CLI::Range(40, 100'000));
  CLI11_PARSE(app, argc, argv);
  try {
    brownout::test::write_long_drill(long_drill, directory);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "judge_evidence: {}\n", error.what());
    return 1;
  }
}
