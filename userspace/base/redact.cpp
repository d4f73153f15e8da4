// SPDX-License-Identifier: MIT
#include "brownout/redact.hpp"

#include <array>

#include <fmt/format.h>
#include <re2/re2.h>

#include "redact_secrets.hpp"

namespace brownout {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostMemory = 1 << 20; // of one compiled pattern

struct BuiltIn { std::string_view name, meaning; };
constexpr std::array<BuiltIn, 6> kRules{{
    {"authorization", "values of Authorization headers, bearer and basic credentials, and JSON web tokens"},
    {"cookie", "values of Cookie and Set-Cookie headers"},
    {"private_key", "PEM private keys"},
    {"secret", "values under names such as password, secret, token, api_key, session_id and signature"},
    {"url_query", "query and fragment of URLs, and the query of a path"},
    {"url_userinfo", "user and password in URLs"},
}};

RE2::Options bytes() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return options;
}

RE2::Options of_drill() {
  RE2::Options options;
  options.set_max_mem(kMostMemory);
  options.set_log_errors(false);
  return options;
}

// One of these at a time, each over the whole text. A backslash ends a URL where it escapes a quote or a blank, and not
// where it spells another character (\u0026); an apostrophe where something ends that it may have quoted.
struct Replacement { RE2 pattern; std::string instead; };
constexpr std::size_t kBearer = 4;
const std::array<Replacement, 6>& replacements() {
  static const std::array<Replacement, 6> all{{
      {RE2{"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\\z)", bytes()},
       "REDACTED_private_key"},
      {RE2{R"(([A-Za-z][A-Za-z0-9+.-]*:(?:\\?/){2})[^\s/"'<>\\?#]+@)", bytes()}, R"(\1REDACTED_url_userinfo@)"},
      {RE2{R"(((?:[A-Za-z][A-Za-z0-9+.-]*:(?:\\?/){2})[^\s"'<>?#\\]*(?:\\?/[^\s"'<>?#\\]*)*[?#])(?:[^\s"'<>\\]|\\[^"'nrt]|'[^\s"'<>\\,;:)}\]])+)",
           bytes()},
       R"(\1REDACTED_url_query)"},
      {RE2{R"((/[^\s"'<>?#\\]*\?)(?:[^\s"'<>\\]|\\[^"'nrt]|'[^\s"'<>\\,;:)}\]])+)", bytes()},
       R"(\1REDACTED_url_query)"},
      {RE2{R"((?i)\b((?:bearer|basic)\s+)[a-z0-9._~+/=-]{16,})", bytes()}, R"(\1REDACTED_authorization)"},
      {RE2{R"(\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?)", bytes()}, "REDACTED_authorization"},
  }};
  return all;
}

bool is_empty(const json& value) {
  return value.is_null() || value.is_boolean() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_structured() && value.empty());
}

// Of a fixed length, so that the mark ends where the rule does, whatever stands behind it.
std::string pattern_rule(std::size_t index) { return fmt::format("pattern_{:02}", index + 1); }

bool is_pattern_rule(std::string_view name) {
  static constexpr std::string_view kPattern = "pattern_";
  return name.size() == kPattern.size() + 2 && name.starts_with(kPattern) &&
         name.find_first_not_of("0123456789", kPattern.size()) == std::string_view::npos;
}

json mark(std::string_view rule) { return fmt::format("{}{}", kRedactedMark, rule); }

// The rule by which the second of a pair is secret: ["Cookie", "a=b"], or "value" beside "name".
std::string_view rule_of_pair(const json& list) {
  if (!list.is_array() || list.size() != 2 || !list[0].is_string()) return {};
  return secret_rule(list[0].get_ref<const std::string&>());
}

std::string_view rule_of_value(const json& object) {
  const auto name = object.find("name");
  if (name == object.end() || !name->is_string()) return {};
  return secret_rule(name->get_ref<const std::string&>());
}

}  // namespace

struct Redactor::Patterns {
  std::vector<std::unique_ptr<RE2>> all;

  std::string text(std::string text) const {
    for (std::size_t i = 0; i < all.size(); ++i)
      RE2::GlobalReplace(&text, *all[i], fmt::format("{}{}", kRedactedMark, pattern_rule(i)));
    return text;
  }
};

Redactor::Redactor() = default;

Result<> Redactor::check_pattern(const std::string& pattern) {
  const RE2 compiled{pattern, of_drill()};
  if (!compiled.ok()) return fail(ErrorCode::kFormat, compiled.error());
  for (const char* text : {"", "a", " ", "a b", "0", "-"}) {
    re2::StringPiece match;
    if (compiled.Match(text, 0, std::string_view{text}.size(), RE2::UNANCHORED, &match, 1) && match.empty())
      return fail(ErrorCode::kFormat, "it matches the empty text, and so everywhere");
  }
  return {};
}

Result<Redactor> Redactor::make(const std::vector<std::string>& patterns) {
  Redactor redactor;
  auto all = std::make_shared<Patterns>();
  for (const auto& pattern : patterns) {
    BROWNOUT_TRY(check_pattern(pattern));
    all->all.push_back(std::make_unique<RE2>(pattern, of_drill()));
  }
  if (!patterns.empty()) redactor.patterns_ = std::move(all);
  return redactor;
}

std::string Redactor::text(std::string_view text) const {
  std::string redacted = patterns_ ? patterns_->text(std::string{text}) : std::string{text};
  // Before the names: of "token: Bearer x" they would take the word for the secret.
  const auto& all = replacements();
  RE2::GlobalReplace(&redacted, all[kBearer].pattern, all[kBearer].instead);
  redacted = redact_named(redacted);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i != kBearer) RE2::GlobalReplace(&redacted, all[i].pattern, all[i].instead);
  return redacted;
}

json Redactor::value(const json& value) const {
  if (value.is_string()) return text(value.get_ref<const std::string&>());
  if (value.is_array()) {
    json list = json::array();
    const auto rule = rule_of_pair(value);
    for (const auto& element : value)
      list.push_back(list.size() == 1 && !rule.empty() && !is_empty(element) ? mark(rule) : this->value(element));
    return list;
  }
  if (!value.is_object()) return value;
  json object = json::object();
  const auto beside = rule_of_value(value);
  for (const auto& [key, element] : value.items()) {
    const auto rule = key == "value" && !beside.empty() ? beside : secret_rule(key);
    object[key] =
        rule.empty() || is_empty(element) ? this->value(element) : mark(rule);
  }
  return object;
}

std::vector<RedactionRule> Redactor::rules() const {
  std::vector<RedactionRule> rules;
  for (const auto& [name, meaning] : kRules) rules.push_back({std::string{name}, std::string{meaning}});
  for (std::size_t i = 0; patterns_ && i < patterns_->all.size(); ++i)
    rules.push_back({pattern_rule(i), patterns_->all[i]->pattern()});
  return rules;
}

RedactionCounts count_redactions(std::string_view text) {
  RedactionCounts counts;
  for (auto at = text.find(kRedactedMark); at != std::string_view::npos; at = text.find(kRedactedMark, at)) {
    at += kRedactedMark.size();
    const auto rest = text.substr(at);
    for (const auto& rule : kRules)
      if (rest.starts_with(rule.name)) ++counts[std::string{rule.name}];
    if (const auto name = rest.substr(0, pattern_rule(0).size()); is_pattern_rule(name)) ++counts[std::string{name}];
  }
  return counts;
}

}  // namespace brownout
