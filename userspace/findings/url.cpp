// SPDX-License-Identifier: MIT
#include "url.hpp"

#include <charconv>

namespace brownout::findings {

Authority authority_of(std::string_view url) {
  Authority result;
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return result;
  result.port = url.starts_with("https") || url.starts_with("wss") ? 443 : 80;
  auto rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (const auto user = rest.rfind('@'); user != std::string_view::npos) rest.remove_prefix(user + 1);
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos)
    std::from_chars(rest.data() + colon + 1, rest.data() + rest.size(), result.port);
  rest = rest.substr(0, colon);
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  result.host = rest;
  return result;
}

}  // namespace brownout::findings
