// SPDX-License-Identifier: MIT
// NAME.report.txt, beside the archive: what was packaged, for whoever files it.
#pragma once

#include <filesystem>
#include <string>

#include "brownout/bundle.hpp"

namespace brownout::bundle {

// "DIR/NAME.report.txt" for "DIR/NAME.tar.gz".
std::filesystem::path package_report_path(const std::filesystem::path& archive);
// One "key: value" a line. `manifest`: as it was sealed.
std::string render_package_report(const Sealed& sealed, const nlohmann::json& manifest, const verdict::Verdict& verdict);

}  // namespace brownout::bundle
