// SPDX-License-Identifier: MIT
#include "redactions.hpp"

#include <array>
#include <fstream>

#include <fmt/format.h>

#include "brownout/events.hpp"
#include "brownout/fd.hpp"
#include "document.hpp"
#include "layout.hpp"
#include "run_directory_copy.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

// Those with text of others.
constexpr std::array<std::string_view, 4> kCounted{"fingerprint/snapshots.jsonl", "kernel/names.jsonl", kManifest,
                                                   "timeline.jsonl"};

void add(RedactionCounts& to, const RedactionCounts& counts) {
  for (const auto& [rule, count] : counts) to[rule] += count;
}

RedactionCounts count_in(const std::filesystem::path& path) {
  RedactionCounts counts;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) add(counts, count_redactions(line));
  return counts;
}

class Redactions {
 public:
  void take(const std::string& file, const RedactionCounts& counts) {
    if (counts.empty()) return;
    files_.push_back({{"file", file}, {"redacted", counts}});
    add(total_, counts);
  }

  Result<> take_copies(const json& copies) {
    try {
      for (const auto& file : copies.at("files"))
        if (file.contains("redacted"))
          take(fmt::format("{}{}", kRunDirectory, file.at("path").get<std::string>()),
               file.at("redacted").get<RedactionCounts>());
      for (const auto& file : copies.at("left_out"))
        not_copied_ += file.at("why").get<std::string>().starts_with(kNotRedacted);
    } catch (const json::exception& error) {
      return fail(ErrorCode::kFormat, fmt::format("{}: {}", kRunDirectoryCopy, error.what()));
    }
    return {};
  }

  std::string render(const Redactor& redactor) const {
    json rules = json::array();
    for (const auto& [name, meaning] : redactor.rules()) rules.push_back({{"rule", name}, {"meaning", meaning}});
    return document({{"rules", rules}, {"total", total_}, {"files", files_}, {"not_copied", not_copied_}});
  }

 private:
  RedactionCounts total_;
  json files_ = json::array();
  std::uint64_t not_copied_ = 0;
};

}  // namespace

Result<std::string> render_redactions(const std::filesystem::path& directory, const Redactor& redactor) {
  Redactions redactions;
  for (const auto file : kCounted) redactions.take(std::string{file}, count_in(directory / file));
  const auto text = read_file(directory / kRunDirectoryCopy, kLargestDocument);
  if (!text && text.error().code != ErrorCode::kNotFound) return std::unexpected(text.error());
  if (text) {
    BROWNOUT_ASSIGN(const auto copies, events::parse_json(*text, kRunDirectoryCopy));
    BROWNOUT_TRY(redactions.take_copies(copies));
  }
  return redactions.render(redactor);
}

}  // namespace brownout::bundle
