// SPDX-License-Identifier: MIT
// Fields of JSON that others wrote, by JSON pointer: absent and of the wrong type are the same, and nothing throws.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace brownout {

std::string text_at(const nlohmann::json& value, const char* pointer);
std::int64_t number_at(const nlohmann::json& value, const char* pointer);
// 0 for what is below.
std::uint64_t count_at(const nlohmann::json& value, const char* pointer);
bool flag_at(const nlohmann::json& value, const char* pointer);
nlohmann::json object_at(const nlohmann::json& value, const char* pointer);

}  // namespace brownout
