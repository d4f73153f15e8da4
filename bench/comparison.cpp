// SPDX-License-Identifier: MIT
// One backend against another that is known, in interleaved blocks of one run. The known one is measured twice a
// round: what it differs from itself is what this machine cannot tell apart.
#include <array>

#include <fmt/format.h>

#include "blocks.hpp"
#include "datagrams.hpp"
#include "suites.hpp"

namespace brownout::bench {
namespace {

using namespace std::chrono_literals;

enum Part { kKnown, kKnownAgain, kOther, kParts };

struct Spread {
  double low, high;
};

std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all;
  for (std::size_t i = 0; i < a.size(); ++i) all.push_back(a[i] - b[i]);
  return all;
}

Spread spread(const std::vector<double>& values) {
  const auto [low, high] = std::ranges::minmax(values);
  return {low, high};
}

// The known one's two blocks of a round have no order, so their difference has no sign.
nlohmann::json compare(const std::vector<double>& known, const std::vector<double>& again,
                       const std::vector<double>& other) {
  auto both_signs = differences(again, known);
  for (const double difference : differences(known, again)) both_signs.push_back(difference);
  auto apart = differences(other, known);
  for (const double difference : differences(other, again)) apart.push_back(difference);
  const Spread own = spread(both_signs);
  const double difference = median(apart);
  return {{"difference_us", difference},
          {"known_against_itself_us", {own.low, own.high}},
          {"inside", difference >= own.low && difference <= own.high}};
}

nlohmann::json run_cell(const BenchRoom& room, const Backend& known, const Backend& other, const Way& way,
                        int delay_ms, const LatencyOptions& options) {
  const std::chrono::milliseconds delay{delay_ms};
  std::array<Blocks, kParts> blocks;
  std::array<int, kParts> missing{};
  for (int round = 0; round < options.blocks; ++round)
    for (int turn = 0; turn < kParts; ++turn) {
      const auto part = static_cast<std::size_t>((round + turn) % kParts);
      const auto injection = (part == kOther ? other : known).start(room, delay);
      // The first packets pay for what is cold.
      static_cast<void>(paced_block(way, options.block_size / 10, options.interval, delay + 1s));
      auto got = paced_block(way, options.block_size, options.interval, delay + 1s);
      missing[part] += got.missing;
      blocks[part].add(minus(std::move(got.one_way_us), static_cast<double>(delay_ms) * 1e3));
    }
  const auto p50 = compare(blocks[kKnown].p50(), blocks[kKnownAgain].p50(), blocks[kOther].p50());
  const auto p99 = compare(blocks[kKnown].p99(), blocks[kKnownAgain].p99(), blocks[kOther].p99());
  const auto line = [](const nlohmann::json& of) {
    return fmt::format("{:+.1f} us ({} against itself {:+.1f} to {:+.1f})", of["difference_us"].get<double>(),
                       of["inside"].get<bool>() ? "inside" : "OUTSIDE",
                       of["known_against_itself_us"][0].get<double>(), of["known_against_itself_us"][1].get<double>());
  };
  fmt::print(stderr, "{} - {} {:<14} {:>4} ms, {} blocks of {}, missing {} and {}: p50 {:.1f} {}; p99 {:.1f} {}\n", other.name,
             known.name, way.direction, delay_ms, options.blocks, options.block_size, missing[kOther],
             missing[kKnown] + missing[kKnownAgain], blocks[kOther].block_p50(), line(p50), blocks[kOther].block_p99(), line(p99));
  return {{"backend", other.name},
          {"against", known.name},
          {"direction", way.direction},
          {"delay_ms", delay_ms},
          {"blocks", options.blocks},
          {"missing", missing[kOther]},
          {"known_missing", missing[kKnown] + missing[kKnownAgain]},
          {"one_way_error", blocks[kOther].json()},
          {"known", {blocks[kKnown].json(), blocks[kKnownAgain].json()}},
          {"p50", p50},
          {"p99", p99}};
}

}  // namespace

nlohmann::json comparison(const BenchRoom& room, const LatencyOptions& options) {
  nlohmann::json report = {{"cells", nlohmann::json::array()}};
  auto wanted = options.backends;
  wanted.push_back(options.against);
  const auto present = chosen(room, wanted, report);
  const auto known = std::ranges::find(present, options.against, &Backend::name);
  if (known == present.end()) return report;
  for (const Backend& other : present)
    for (const int delay_ms : options.delays_ms)
      for (const Way& way : ways(room))
        if (std::string_view{way.topology} == "host_local" && other.name != options.against)
          report["cells"].push_back(run_cell(room, *known, other, way, delay_ms, options));
  return report;
}

}  // namespace brownout::bench
