// SPDX-License-Identifier: MIT
// judge_evidence DIRECTORY: writes the evidence that bench/judge has judged, and bench/verify, sealed, verified. What is in it:
// tests/support/long_drill.hpp.
#include <exception>
#include <fstream>
#include <random>

#include <CLI/CLI.hpp>

#include "support/long_drill.hpp"

namespace {

using namespace brownout;

constexpr std::uint64_t kFiles = 8;

// Lines as of a log: most of each is like the one before, some of it is like nothing.
void write_log(const std::filesystem::path& file, std::uint64_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::ofstream log{file, std::ios::binary};
  std::uint64_t written = 0;
  for (std::uint64_t line = 0; written < bytes; ++line) {
    auto text = fmt::format("2025-12-23T01:57:{:02}.{:06}Z INFO order {} {:016x} filled at {} in {} us\n", line / 1000 % 60,
                            line % 1000 * 1000, line, random(), random() % 100'000, random() % 1'000'000);
    text.resize(std::min<std::uint64_t>(text.size(), bytes - written), '\n');
    log << text;
    written += text.size();
  }
  if (!log.flush()) throw std::runtime_error("write " + file.string());
}

// As if copied of the app's run directory.
void write_run_directory(const std::filesystem::path& staging, std::uint64_t bytes) {
  nlohmann::json copy{{"files", nlohmann::json::array()}, {"left_out", nlohmann::json::array()}};
  std::filesystem::create_directories(staging / "run_dir");
  for (std::uint64_t number = 0; number < kFiles; ++number) {
    const auto name = fmt::format("app_{}.log", number);
    write_log(staging / "run_dir" / name, bytes / kFiles, number);
    copy["files"].push_back({{"path", name},
                             {"size", std::filesystem::file_size(staging / "run_dir" / name)},
                             {"sha256", test::value_of(sha256_file(staging / "run_dir" / name))}});
  }
  test::done(write_file(staging / "run_dir_copy.json", copy.dump(2) + "\n"));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"evidence of a long and busy drill"};
  std::filesystem::path directory, out;
  std::uint64_t other_bytes = 0;
  test::LongDrill long_drill;
  app.add_option("directory", directory, "must not have evidence yet")->required();
  app.add_option("--events", long_drill.events)->check(CLI::PositiveNumber);
  app.add_option("--failures", long_drill.failures);
  app.add_option("--seconds", long_drill.seconds)->check(CLI::Range(40, 100'000));
  auto* seal = app.add_option("--seal", out, "makes it a bundle in this directory; says on stdout where");
  app.add_option("--other-bytes", other_bytes, "of files of the app's in the bundle")->needs(seal);
  CLI11_PARSE(app, argc, argv);
  try {
    test::write_long_drill(long_drill, directory);
    if (*seal) {
      write_run_directory(directory, other_bytes);
      fmt::print("{}\n", test::seal_staged(directory, out, test::long_plan(long_drill)).archive.string());
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "judge_evidence: {}\n", error.what());
    return 1;
  }
}
