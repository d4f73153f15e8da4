// SPDX-License-Identifier: MIT
// What app.require compares the manifest with: YAML values as JSON.
#include <charconv>
#include <cmath>
#include <optional>

#include "scalars.hpp"

namespace brownout::drill {
namespace {

// Only digits, sign, point and exponent: from_chars alone would take "inf" and "nan", which JSON has no word for.
bool looks_numeric(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

nlohmann::json plain_value(const std::string& text) {
  if (text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (!looks_numeric(text)) return text;
  const std::string_view unsigned_text = text.front() == '+' ? std::string_view{text}.substr(1) : text;
  if (const auto value = number<std::int64_t>(unsigned_text)) return *value;
  if (const auto value = number<std::uint64_t>(unsigned_text)) return *value;
  if (const auto value = number<double>(unsigned_text); value && std::isfinite(*value)) return *value;
  return text;
}

}  // namespace

Result<nlohmann::json> read_json(const Cursor& cursor) {
  switch (cursor.tree->kind) {
    case Tree::Kind::kNull: return nullptr;
    case Tree::Kind::kScalar:
      return cursor.tree->quoted ? nlohmann::json(cursor.tree->scalar) : plain_value(cursor.tree->scalar);
    case Tree::Kind::kSequence: {
      nlohmann::json list = nlohmann::json::array();
      for (const Cursor& item : cursor.items()) {
        BROWNOUT_ASSIGN(nlohmann::json value, read_json(item));
        list.push_back(std::move(value));
      }
      return list;
    }
    case Tree::Kind::kMapping: break;
  }
  nlohmann::json object = nlohmann::json::object();
  BROWNOUT_ASSIGN(const auto members, free_members(cursor));
  for (const auto& [key, value] : members) {
    BROWNOUT_ASSIGN(object[key.tree->scalar], read_json(value));
  }
  return object;
}

}  // namespace brownout::drill
