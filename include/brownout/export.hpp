// SPDX-License-Identifier: MIT
// Stage 8. Judged evidence in the formats of others. A verdict that a format has no state for becomes the nearest one that
// is not a pass, with a note: docs/exports.md.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "brownout/error.hpp"

namespace brownout::bundle {

enum class ExportFormat : std::uint8_t { kJUnit, kChaosToolkit, kInToto, kOpenMetrics, kCsv, kPcapng };
// By position: as `brownout export` names them.
inline constexpr std::array<std::string_view, 6> kExportFormats{"junit",       "chaostoolkit", "in-toto",
                                                                 "openmetrics", "csv",          "pcapng"};
inline constexpr bool is_text(ExportFormat format) { return format != ExportFormat::kPcapng; }
std::optional<ExportFormat> export_format(std::string_view name);

// kNotFound for packets that the drill did not ask for.
// Of a bundle, of an opened one or of evidence that was never sealed; judged again, as `judge` does it.
Result<std::string> export_evidence(const std::filesystem::path& evidence, ExportFormat format);

}  // namespace brownout::bundle
