// SPDX-License-Identifier: MIT
// The server name of a TLS client hello (RFC 8446, 4.1.2; RFC 6066, 3). OpenSSL hands out the extensions of a hello only
// when all of it is there, and what the kernel copied may be cut: hence a walk of our own, which needs no library.
#include "name_parsers.hpp"

namespace brownout::events {
namespace {

constexpr std::uint8_t kHandshake = 22, kClientHello = 1, kHostName = 0;
constexpr std::uint16_t kServerName = 0;

// Takes bytes off the front; once something was not there it is at its end for good.
class Walk {
 public:
  explicit Walk(Bytes bytes) : left_(bytes) {}

  bool cut() const { return cut_; }
  bool empty() const { return left_.empty(); }
  Bytes take(std::size_t count) {
    if (count > left_.size()) {
      cut_ = true;
      left_ = {};
      return {};
    }
    const auto taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }
  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    for (const auto byte : take(bytes)) value = value << 8 | byte;
    return value;
  }
  // A field with its length in front. Where it reaches beyond the end, what is there of it.
  Walk field(std::size_t length_bytes) {
    const auto length = number(length_bytes);
    if (length <= left_.size()) return Walk{take(length)};
    Walk part{left_};
    part.short_ = true;
    cut_ = true;
    left_ = {};
    return part;
  }
  // Ended, and by the end of what was copied.
  bool ran_out() const { return cut_ || (short_ && left_.empty()); }

 private:
  Bytes left_;
  bool cut_ = false;
  bool short_ = false; // the field goes on beyond what there is
};

ClientHello name_in(Walk extension) {
  auto list = extension.field(2);
  while (!list.empty()) {
    const auto type = list.number(1);
    auto name = list.field(2);
    const bool cut = list.cut();
    if (cut || type != kHostName) continue;
    std::string text;
    while (!name.empty()) text += static_cast<char>(name.number(1));
    text = plain_name(text);
    return {text.empty() ? HelloOutcome::kNoName : HelloOutcome::kName, text};
  }
  return {list.ran_out() || extension.ran_out() ? HelloOutcome::kCut : HelloOutcome::kNoName, {}};
}

}  // namespace

ClientHello parse_client_hello(Bytes payload) {
  Walk record{payload};
  if (record.number(1) != kHandshake || record.number(1) != 3) return {};
  record.take(1);
  auto content = record.field(2);
  if (content.number(1) != kClientHello) return {record.cut() ? HelloOutcome::kCut : HelloOutcome::kNotHello, {}};
  auto hello = content.field(3);
  hello.take(2 + 32); // version, random
  hello.field(1);     // session
  hello.field(2);     // ciphers
  hello.field(1);     // compression
  if (hello.empty() && !hello.ran_out()) return {HelloOutcome::kNoName, {}};
  auto extensions = hello.field(2);
  while (!extensions.empty()) {
    const auto type = extensions.number(2);
    if (extensions.cut()) break;
    const auto extension = extensions.field(2);
    if (type != kServerName) continue;
    auto found = name_in(extension);
    if (found.outcome == HelloOutcome::kNoName && extensions.ran_out()) found.outcome = HelloOutcome::kCut;
    return found;
  }
  const bool cut = extensions.ran_out() || hello.ran_out();
  return {cut ? HelloOutcome::kCut : HelloOutcome::kNoName, {}};
}

}  // namespace brownout::events
