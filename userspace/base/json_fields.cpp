// SPDX-License-Identifier: MIT
#include "brownout/json_fields.hpp"

namespace brownout {
namespace {

using nlohmann::json;

const json* at(const json& value, const char* pointer) {
  const json::json_pointer path{pointer};
  return value.contains(path) ? &value[path] : nullptr;
}

}  // namespace

std::string text_at(const json& value, const char* pointer) {
  const json* field = at(value, pointer);
  return field != nullptr && field->is_string() ? field->get<std::string>() : std::string{};
}

std::int64_t number_at(const json& value, const char* pointer) {
  const json* field = at(value, pointer);
  return field != nullptr && field->is_number_integer() ? field->get<std::int64_t>() : 0;
}

std::uint64_t count_at(const json& value, const char* pointer) {
  const json* field = at(value, pointer);
  return field != nullptr && field->is_number_unsigned() ? field->get<std::uint64_t>() : 0;
}

bool flag_at(const json& value, const char* pointer) {
  const json* field = at(value, pointer);
  return field != nullptr && field->is_boolean() && field->get<bool>();
}

json object_at(const json& value, const char* pointer) {
  const json* field = at(value, pointer);
  return field != nullptr && field->is_object() ? *field : json::object();
}

}  // namespace brownout
