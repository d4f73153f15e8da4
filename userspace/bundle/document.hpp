// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace brownout::bundle {

// The one spelling of the bundle's JSON documents: what is derived again can be compared byte by byte.
inline std::string document(const nlohmann::json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace brownout::bundle
