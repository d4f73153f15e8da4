// SPDX-License-Identifier: MIT
// docs/schemas, as they were when this program was built: a copy of each is in every bundle.
#pragma once

#include <span>
#include <string_view>

namespace brownout::bundle {

struct Schema { std::string_view path, text; }; // "schema/verdict.schema.json"
std::span<const Schema> schemas();              // sorted by path

}  // namespace brownout::bundle
