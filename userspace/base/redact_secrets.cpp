// SPDX-License-Identifier: MIT
#include "redact_secrets.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <re2/re2.h>

#include "brownout/redact.hpp"

namespace brownout {
namespace {

using std::string_view;
constexpr auto kNone = string_view::npos;

// Bytes, not code points: what is not UTF-8 must not end a secret.
const RE2::Options& options() {
  static const RE2::Options latin1 = [] {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_case_sensitive(false);
    options.set_log_errors(false);
    return options;
  }();
  return latin1;
}

constexpr const char* kAuthorization = "(?:proxy-)?authorization";
constexpr const char* kCookie = "(?:set-)?cookie2?s?";
constexpr const char* kSecret =
    "pass(?:word|wd|phrase|code)s?|pwd|secrets?|tokens?|credentials?|(?:session|access|secret|private|signing|"
    "encryption|api|"
    "apim-subscription|subscription)[-_. ]?keys?|access[-_.]?sign|session[-_.]?id|signature";

const RE2& key_pattern() {
  static const RE2 pattern{
      std::string{"(?:("} + kAuthorization + "|(?:^|[-_.])auth)|(" + kCookie + ")|(" + kSecret + "))$", options()};
  return pattern;
}

// A name, its closing quote if it has one, and what parts it from its value. The comma is that of a pair, ('name',
// 'value').
const RE2& name_pattern() {
  static const RE2 pattern{std::string{"(?:("} + kAuthorization + ")|(" + kCookie + ")|(" + kSecret +
                               "))(?:(\\\\*[\"'])\\s*(:|=>|=|,)|\\s*(:|=>|=))\\s*",
                           options()};
  return pattern;
}

std::string marked(string_view rule) { return std::string{kRedactedMark} + std::string{rule}; }

std::size_t line_end(string_view text, std::size_t from) {
  return std::min(text.find_first_of("\r\n", from), text.size());
}

// Of backslashes and a quote: the quoting of JSON within JSON.
struct Quote { char mark = 0; std::size_t slashes = 0; };
Quote quote_at(string_view text, std::size_t at) {
  Quote quote;
  while (at < text.size() && text[at] == '\\') ++at, ++quote.slashes;
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) quote.mark = text[at];
  return quote;
}

// Behind the letters before a string of Python's: b'...', if a string is there.
std::size_t after_prefix(string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && end - at < 2 && string_view{"bBrRuU"}.contains(text[end])) ++end;
  return quote_at(text, end).mark != 0 ? end : at;
}

// Where the closing quote's backslashes begin, or the line's end.
std::size_t closing(string_view text, std::size_t from, Quote quote) {
  std::size_t slashes = 0;
  for (std::size_t i = from; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '\\') {
      ++slashes;
      continue;
    }
    const bool escaped = quote.slashes == 0 ? slashes % 2 == 1 : slashes > quote.slashes;
    if (text[i] == quote.mark && !escaped) return i - std::min(slashes, quote.slashes);
    slashes = 0;
  }
  return line_end(text, from);
}

// Behind the bracket that closes the one at `at`; kNone: it is never closed. When all `steps` are used up, whoever wrote
// that means to be slow: what is left of the text is taken for the value.
std::size_t after_bracket(string_view text, std::size_t at, std::size_t& steps) {
  int depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (steps == 0) return text.size();
    --steps;
    if (text[i] == '"') {
      const auto end = closing(text, i + 1, {'"', 0});
      steps -= std::min(steps, end - i);
      if (end >= text.size() || text[end] != '"') return kNone;
      i = end;
    } else if (text[i] == '[' || text[i] == '{') {
      ++depth;
    } else if ((text[i] == ']' || text[i] == '}') && --depth == 0) {
      return i + 1;
    }
  }
  return kNone;
}

// What merely begins with a mark, as a drill's pattern leaves it, may go on with the secret.
const RE2& whole_mark() {
  static const RE2 mark{
      "REDACTED_(?:authorization|cookie|private_key|secret|url_query|url_userinfo|pattern_[0-9]{2})"};
  return mark;
}

bool says_nothing(string_view value) {
  static constexpr std::array<string_view, 5> kWords{"null", "true", "false", "none", "undefined"};
  std::string lower(value);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return value.empty() || value == "{}" || value == "[]" || RE2::FullMatch({value.data(), value.size()}, whole_mark()) ||
         std::ranges::find(kWords, lower) != kWords.end();
}

// What of the text from `at` on is the value, and what is to stand there instead.
struct Value { std::size_t begin = 0, end = 0; std::string instead; };

Value quoted_value(string_view text, std::size_t at, Quote quote, const std::string& mark) {
  const auto begin = at + quote.slashes + 1;
  const auto end = closing(text, begin, quote);
  return {begin, end,
          says_nothing(text.substr(begin, end - begin)) ? std::string{text.substr(begin, end - begin)} : mark};
}

// How far a value without quotes of its own goes.
enum class Extent {
  kWord,
  kArgument,      // cookies=a; b, of a call
  kHeader,        // to the end of the line, or of the text that the header is quoted in
  kHeaderOfLine,  // quotes in it are its own: nothing before it is quoted
};

std::size_t header_end(string_view text, std::size_t at, bool of_line) {
  for (std::size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' || c == '\n' || (!of_line && (c == '"' || c == '\''))) return i;
    if (c != '\\' || i + 1 == text.size()) continue;
    if (text[i + 1] == 'r' || text[i + 1] == 'n') return i;  // a line's end in a text of JSON
    ++i;
  }
  return text.size();
}

std::size_t bare_end(string_view text, std::size_t at, Extent extent) {
  if (extent == Extent::kHeader || extent == Extent::kHeaderOfLine)
    return header_end(text, at, extent == Extent::kHeaderOfLine);
  return std::min(text.find_first_of(extent == Extent::kArgument ? "\r\n\"'\\,)}]" : " \t\r\n,;&\"'<>)}]\\", at),
                  text.size());
}

// `around`: what the name was quoted with, so that what was JSON stays JSON.
Value bare_value(string_view text, std::size_t at, Extent extent, string_view around, const std::string& mark,
                 std::size_t& steps) {
  std::size_t end = bare_end(text, at, extent);
  if (at < text.size() && (text[at] == '[' || text[at] == '{')) {
    const auto behind = after_bracket(text, at, steps);
    end = behind == kNone ? line_end(text, at) : behind;
  }
  const auto value = text.substr(at, end - at);
  if (says_nothing(value)) return {at, end, std::string{value}};
  return {at, end, std::string{around} + mark + std::string{around}};
}

// ('name', 'value'), or {"name": "Cookie", "value": "..."}; of any other list the name stands for nothing.
Value paired_value(string_view text, std::size_t at, const std::string& mark, std::size_t& steps) {
  at = after_prefix(text, at);
  const auto quote = quote_at(text, at);
  if (quote.mark == 0) return {at, at, {}};
  const auto value = quoted_value(text, at, quote, mark);
  const auto colon = text.find_first_not_of(" \t\r\n", std::min(value.end + quote.slashes + 1, text.size()));
  if (colon == kNone || text[colon] != ':') return value;
  if (text.substr(value.begin, value.end - value.begin) != "value") return {at, at, {}};
  const auto next = std::min(text.find_first_not_of(" \t\r\n", colon + 1), text.size());
  const auto inner = quote_at(text, next);
  auto found =
      inner.mark == 0 ? bare_value(text, next, Extent::kWord, "\"", mark, steps) : quoted_value(text, next, inner, mark);
  found.instead = std::string{text.substr(at, found.begin - at)} + found.instead;
  found.begin = at;
  return found;
}

// Nothing quoted is before it on its line.
bool begins_line(string_view text, re2::StringPiece name) {
  const auto at = static_cast<std::size_t>(name.data() - text.data());
  const auto before = at == 0 ? kNone : text.find_last_of("\r\n\"'", at - 1);
  return before == kNone || text[before] == '\r' || text[before] == '\n';
}

}  // namespace

string_view secret_rule(string_view key) {
  re2::StringPiece authorization, cookie, secret;
  if (!RE2::PartialMatch({key.data(), key.size()}, key_pattern(), &authorization, &cookie, &secret)) return {};
  return !authorization.empty() ? "authorization" : !cookie.empty() ? "cookie" : "secret";
}

std::string redact_named(string_view text) {
  std::string redacted;
  std::size_t at = 0, steps = 4 * text.size() + (std::size_t{1} << 20);
  re2::StringPiece groups[7];
  while (name_pattern().Match({text.data(), text.size()}, at, text.size(), RE2::UNANCHORED, groups, 7)) {
    const auto begin = after_prefix(text, static_cast<std::size_t>(groups[0].data() - text.data()) + groups[0].size());
    const bool header = !groups[1].empty() || !groups[2].empty();
    const auto mark = marked(!groups[1].empty() ? "authorization" : !groups[2].empty() ? "cookie" : "secret");
    const auto quote = quote_at(text, begin);
    const string_view around{groups[4].data(), groups[4].size()};
    const auto extent = !header || !around.empty() ? Extent::kWord
                        : groups[6] != ":"         ? Extent::kArgument
                        : begins_line(text, groups[0]) ? Extent::kHeaderOfLine
                                                       : Extent::kHeader;
    const auto value = groups[5] == ","   ? paired_value(text, begin, mark, steps)
                       : quote.mark != 0 ? quoted_value(text, begin, quote, mark)
                                         : bare_value(text, begin, extent, around, mark, steps);
    redacted += text.substr(at, value.begin - at);
    redacted += value.instead;
    at = value.end;
  }
  redacted += text.substr(at);
  return redacted;
}

}  // namespace brownout
