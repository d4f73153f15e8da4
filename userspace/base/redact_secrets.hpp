// SPDX-License-Identifier: MIT
// Values that are secret for the name in front of them: `"token": "..."`, `Cookie: ...`, `password=...`, at any depth of
// quoting.
#pragma once

#include <string>
#include <string_view>

namespace brownout {

// The rule by which what stands under this key is secret; empty: none.
std::string_view secret_rule(std::string_view key);
std::string redact_named(std::string_view text);

}  // namespace brownout
