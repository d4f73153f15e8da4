// SPDX-License-Identifier: MIT
#include "html_page.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include "brownout/digest.hpp"
#include "embedded.hpp"

namespace brownout::bundle {
namespace {

// A digest as a content security policy names it: base64 of its bytes.
std::string source_of(std::string_view text) {
  const auto digits = sha256(text);
  std::array<unsigned char, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, bytes[i], 16);
  std::array<unsigned char, 45> base64{};
  EVP_EncodeBlock(base64.data(), bytes.data(), static_cast<int>(bytes.size()));
  return fmt::format("'sha256-{}'", reinterpret_cast<const char*>(base64.data()));
}

// Within a script element, "<" could end it or begin a comment; the line separators end lines in old JavaScript.
std::string as_script(const std::string& json) {
  static const std::map<std::string_view, std::string_view> kEscapes{
      {"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}, {"\u2028", "\\u2028"}, {"\u2029", "\\u2029"}};
  std::string text;
  text.reserve(json.size());
  for (std::string_view rest{json};;) {
    const auto plain = std::min(rest.find_first_of("<>&\xe2"), rest.size());
    text += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) return text;
    const auto character = rest.substr(0, rest.front() == '\xe2' ? 3 : 1);
    const auto found = kEscapes.find(character);
    text += found == kEscapes.end() ? character : found->second;
    rest.remove_prefix(character.size());
  }
}

// Each {{name}} of the page is filled in once; what was filled in is not looked at again.
std::string filled(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string text;
  while (true) {
    const auto start = page.find("{{");
    text += page.substr(0, start);
    if (start == std::string_view::npos) return text;
    const auto end = page.find("}}", start);
    text += parts.at(page.substr(start + 2, end - start - 2));
    page.remove_prefix(end + 2);
  }
}

// What is the same in every page.
struct Parts {
  std::string library = fmt::format("/*!\n{}*/\n{}", embedded::kDygraphsLicense, embedded::kDygraphsScript);
  std::string script = fmt::format("\"use strict\";\n{}\n{}\n{}\n{}", embedded::kElements, embedded::kPlots,
                                   embedded::kSections, embedded::kScript);
  std::string style = fmt::format("{}\n{}", embedded::kDygraphsStyle, embedded::kStyle);
  std::string policy = fmt::format(
      "default-src 'none'; script-src {} {}; style-src {}; base-uri 'none'; form-action 'none'", source_of(library),
      source_of(script), source_of(style));
};

}  // namespace

std::string html_page(const std::vector<nlohmann::ordered_json>& bundles) {
  static const Parts parts;
  const auto data = nlohmann::ordered_json(bundles).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return filled(embedded::kPage, {{"policy", parts.policy},
                                  {"style", parts.style},
                                  {"data", as_script(data)},
                                  {"library", parts.library},
                                  {"script", parts.script}});
}

std::string render_html(const ReportInputs& inputs) { return html_page({html_data(inputs)}); }

}  // namespace brownout::bundle
