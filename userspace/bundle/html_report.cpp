// SPDX-License-Identifier: MIT
#include "html_page.hpp"
#include "opened.hpp"
#include "rejudge.hpp"

namespace brownout::bundle {
namespace {

Result<nlohmann::ordered_json> data_of(const std::filesystem::path& evidence) {
  BROWNOUT_ASSIGN(const auto opened, Opened::open(evidence));
  BROWNOUT_ASSIGN(const auto judged, rejudge_files(opened.directory(), std::nullopt));
  BROWNOUT_ASSIGN(const auto manifest, recorded_manifest(opened.directory()));
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
