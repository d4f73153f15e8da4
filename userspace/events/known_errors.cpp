// SPDX-License-Identifier: MIT
#include "known_errors.hpp"

namespace brownout::events {
namespace {

class Scan {
 public:
  Scan(std::string_view text, std::size_t first_error) : text_(text), first_error_(first_error) {}

  std::optional<KnownErrors> run() {
    for (; at_ < text_.size() && !found_; ++at_) step(text_[at_]);
    return found_;
  }

 private:
  void step(char c) {
    switch (c) {
      case '"': return pass_string();
      case '{':
      case '[': return open(c);
      case '}':
      case ']': return close();
      case ',': return comma();
      default: return;
    }
  }

  // Leaves at_ on the closing quote, or at the end of a text that was cut off.
  void pass_string() {
    const std::size_t begin = at_ + 1;
    std::size_t quote = text_.find('"', begin);
    while (quote != std::string_view::npos && is_escaped(quote, begin)) quote = text_.find('"', quote + 1);
    at_ = quote == std::string_view::npos ? text_.size() : quote;
    if (depth_ == 1 && at_ < text_.size()) last_string_ = text_.substr(begin, at_ - begin);
  }

  bool is_escaped(std::size_t quote, std::size_t begin) const {
    std::size_t backslashes = 0;
    while (quote - backslashes > begin && text_[quote - backslashes - 1] == '\\') ++backslashes;
    return backslashes % 2 == 1;
  }

  // The string before a list at depth 1 is its key: a value would be followed by a comma, which forgets it.
  void open(char c) {
    if (depth_ == 1 && c == '[' && last_string_ == "error_events") in_list_ = true;
    ++depth_;
  }

  void close() {
    if (depth_ == 2 && in_list_) finish(at_, commas_);
    --depth_;
  }

  void comma() {
    if (depth_ == 1) last_string_ = {};
    if (depth_ != 2 || !in_list_) return;
    if (++commas_ == 1) first_comma_ = at_;
    if (commas_ == first_error_) finish(at_, first_error_ - 1);
  }

  void finish(std::size_t end, std::size_t count) {
    found_.emplace(KnownErrors{count == 0 ? end : first_comma_, end, count});
  }

  std::string_view text_, last_string_;
  std::size_t first_error_;
  std::size_t at_ = 0, commas_ = 0, first_comma_ = 0;
  int depth_ = 0;
  bool in_list_ = false;
  std::optional<KnownErrors> found_;
};

}  // namespace

std::optional<KnownErrors> find_known_errors(std::string_view text, std::size_t first_error) {
  if (first_error < 2) return std::nullopt;
  const auto found = Scan{text, first_error}.run();
  return found && found->count > 0 ? found : std::nullopt;
}

}  // namespace brownout::events
