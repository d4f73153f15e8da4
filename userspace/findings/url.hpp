// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brownout::findings {

// Of "scheme://user@host:port/...". Port 0: the text is no url; else by its scheme where it names none.
struct Authority { std::string host; std::uint16_t port = 0; };
Authority authority_of(std::string_view url);

}  // namespace brownout::findings
