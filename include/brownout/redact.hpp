// SPDX-License-Identifier: MIT
// What must not get into a bundle, taken out of text and of JSON that others wrote: docs/bundle-format.md has the rules.
// In the place of each secret stands "REDACTED_" and the rule. Deterministic; once more over its own result changes nothing
// that a built-in rule has changed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/error.hpp"

namespace brownout {

inline constexpr std::string_view kRedactedMark = "REDACTED_";

struct RedactionRule { std::string name, meaning; };
using RedactionCounts = std::map<std::string, std::uint64_t>; // by rule

class Redactor {
 public:
  Redactor(); // by the built-in rules alone
  // With these too, each RE2's. kFormat for one that check_pattern() refuses.
  static Result<Redactor> make(const std::vector<std::string>& patterns);
  // kFormat with what RE2 says; also where it matches the empty text, and so everything.
  static Result<> check_pattern(const std::string& pattern);

  std::string text(std::string_view text) const;
  // Every text in it, and whatever stands under a key that names a secret. Numbers are texts to patterns alone.
  nlohmann::json value(const nlohmann::json& value) const;
  std::vector<RedactionRule> rules() const;
  bool has_patterns() const { return patterns_ != nullptr; }

 private:
  struct Patterns;
  std::shared_ptr<const Patterns> patterns_; // null: none
};

// The marks in a text.
RedactionCounts count_redactions(std::string_view text);

}  // namespace brownout
