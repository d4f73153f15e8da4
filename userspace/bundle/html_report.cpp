// SPDX-License-Identifier: MIT
#include "brownout/fd.hpp"
#include "html_page.hpp"
#include "layout.hpp"
#include "opened.hpp"
#include "rejudge.hpp"

namespace brownout::bundle {
namespace {

// Evidence that was never sealed may have none.
Result<nlohmann::json> manifest_of(const std::filesystem::path& directory) {
  const auto text = read_file(directory / kManifest, kLargestDocument);
  if (!text && text.error().code == ErrorCode::kNotFound) return nlohmann::json::object();
  if (!text) return std::unexpected(text.error());
  return events::parse_json(*text, kManifest);
}

Result<nlohmann::ordered_json> data_of(const std::filesystem::path& evidence) {
  BROWNOUT_ASSIGN(const auto opened, Opened::open(evidence));
  BROWNOUT_ASSIGN(const auto judged, rejudge_files(opened.directory(), std::nullopt));
  BROWNOUT_ASSIGN(const auto manifest, manifest_of(opened.directory()));
  return html_data({judged.plan, judged.evidence, judged.findings, judged.verdict, manifest});
}

}  // namespace

Result<std::string> html_report(const std::vector<std::filesystem::path>& evidence) {
  std::vector<nlohmann::ordered_json> bundles;
  for (const auto& path : evidence) {
    BROWNOUT_ASSIGN(auto data, data_of(path));
    bundles.push_back(std::move(data));
  }
  return html_page(bundles);
}

}  // namespace brownout::bundle
