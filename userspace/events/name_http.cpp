// SPDX-License-Identifier: MIT
#include <boost/beast/http.hpp>

#include "name_parsers.hpp"

namespace brownout::events {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::size_t kLongestHeader = 8192;
constexpr std::string_view kLineEnd = "\r\n", kHeaderEnd = "\r\n\r\n";

// The whole header, or its whole lines as if there were no more.
std::string header_of(std::string_view payload) {
  if (const auto end = payload.find(kHeaderEnd); end != std::string_view::npos)
    return std::string{payload.substr(0, end + kHeaderEnd.size())};
  const auto last = payload.rfind(kLineEnd);
  if (last == std::string_view::npos) return {};
  return std::string{payload.substr(0, last)} + std::string{kHeaderEnd};
}

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

}  // namespace

std::optional<std::string> parse_http_host(std::string_view payload) {
  const auto header = header_of(payload.substr(0, kLongestHeader));
  if (header.empty()) return std::nullopt;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kLongestHeader + kHeaderEnd.size());
  parser.skip(true); // only the header
  beast::error_code error;
  parser.put(boost::asio::buffer(header), error);
  if (!parser.is_header_done()) return std::nullopt;
  // Asked of a proxy: the next request on the connection may be for another host.
  const std::string_view target{parser.get().target().data(), parser.get().target().size()};
  if (!target.starts_with('/') && target.contains("://")) return std::nullopt;
  const auto host = parser.get()[http::field::host];
  const auto name = plain_name(without_port({host.data(), host.size()}));
  if (name.empty()) return std::nullopt;
  return name;
}

}  // namespace brownout::events
