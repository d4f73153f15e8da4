// SPDX-License-Identifier: MIT
// Pieces of Markdown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/events.hpp"

namespace brownout::bundle {

// Of one table; what is beyond is in the records, and the report says where.
inline constexpr std::size_t kMostRows = 200;

// Text that others wrote, as one piece of a table's cell: nothing in it is markup, and it is cut where it is too long.
std::string cell(std::string_view text);
// The same outside of tables, where there is room.
std::string prose(std::string_view text);
// The same where it is no Markdown.
std::string shown(std::string_view text);
// Text as it is, anything else as JSON.
std::string json_text(const nlohmann::json& value);
// "10.0.0.1:443 (api.example, ...)"
std::string with_names(const std::string& endpoint, const std::vector<std::string>& names);
// "kernel/events.jsonl:4, kernel/events.jsonl:6-9 and 3 more"; "no lines" where there are none.
std::string pointers(const std::vector<events::Ref>& refs);
std::string table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows);
std::string milliseconds(std::int64_t ns);
std::string milliseconds(const std::optional<double>& ms);

}  // namespace brownout::bundle
