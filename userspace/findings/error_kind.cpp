// SPDX-License-Identifier: MIT
// What an app calls its errors, in the words that clients in use really write: requests, urllib3, httpx, aiohttp,
// Go's net/http, Java's java.net, Node.
#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "parts.hpp"

namespace brownout::findings {
namespace {

constexpr std::array<std::string_view, 9> kLookupWords{
    "gaierror", "getaddrinfo", "enotfound", "eai_again", "unknownhost", "nameresolution", "name_resolution", "dns",
    "no such host"};
constexpr std::array<std::string_view, 5> kTimeoutWords{"timeout", "timed out", "timedout", "time_out",
                                                        "deadline exceeded"};
constexpr std::array<std::string_view, 9> kRefusalWords{
    "refused", "reset", "unreachable", "remotedisconnected", "remote_disconnected", "broken pipe", "brokenpipe",
    "econnaborted", "no route"};
constexpr std::array<std::string_view, 14> kNetworkWords{
    "connection",  "connect",   "network", "request_exception", "requestexception", "socket", "ssl",     "tls",
    "urlerror",  "maxretry", "max retries",      "protocolerror",    "eof",    "transport"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

template <std::size_t N>
bool any_in(const std::string& text, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

ErrorKind kind_of_text(const std::string& text) {
  if (any_in(text, kLookupWords)) return ErrorKind::kLookup;
  if (any_in(text, kTimeoutWords)) return ErrorKind::kTimeout;
  if (any_in(text, kRefusalWords)) return ErrorKind::kRefusal;
  if (any_in(text, kNetworkWords)) return ErrorKind::kNetwork;
  return ErrorKind::kOther;
}

}  // namespace

// The message is left out: "order rejected, connection of the account is closed" is no network error.
ErrorKind kind_of(const events::AppError& error) {
  return kind_of_text(lower(error.type) + '\n' + lower(error.exception_type));
}

}  // namespace brownout::findings
