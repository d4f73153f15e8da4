// SPDX-License-Identifier: MIT
// report.html: one file that asks for no other. What comes from evidence is in it as JSON, and becomes text of the page,
// never markup.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "report_sections.hpp"

namespace brownout::bundle {

// What the page shows of one bundle; its size is bounded, however long the drill was and whatever failed.
nlohmann::ordered_json html_data(const ReportInputs& inputs);

// Of one bundle, or of two side by side. Same data, same bytes.
std::string html_page(const std::vector<nlohmann::ordered_json>& bundles);

std::string render_html(const ReportInputs& inputs);

}  // namespace brownout::bundle
