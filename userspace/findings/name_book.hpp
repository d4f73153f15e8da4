// SPDX-License-Identifier: MIT
// What destinations are called, as far as the kernel could know it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "brownout/findings.hpp"

namespace brownout::findings {

class NameBook {
 public:
  explicit NameBook(const events::Evidence& evidence);

  // Of the other side of the event's connection: what its own client hello or request said; without these, whatever
  // DNS had given for the address before the call began. Each once, in the order in which they came.
  std::vector<std::string> names_of(const brownout_event& event) const;
  // Of a destination, by all of its connections: what any of them said; without that, whatever DNS ever gave for it.
  std::vector<std::string> names_at(const std::string& address, std::uint16_t port) const;
  // What a DNS event's query asked for; empty: not known.
  std::string question_of(const brownout_event& event) const;

 private:
  std::vector<std::string> given_by(const std::string& address, std::int64_t t_mono_ns) const; // by DNS, until then
  struct Given { std::int64_t t_mono_ns = 0; std::string name; };
  std::map<std::uint64_t, std::vector<std::string>> said_;  // by cookie
  std::map<std::pair<std::string, std::uint16_t>, std::vector<std::string>> said_at_; // by address and port
  std::map<std::string, std::vector<Given>> given_;         // by address
  std::map<std::pair<std::int64_t, std::uint64_t>, std::string> asked_; // by time and cookie
};

// Does a url's host mean a destination with these names? A resolver may have completed a short name (search domains).
// With no names nothing is known, so that it may; the same holds for a host that is not ASCII: names in DNS are encoded.
bool may_be_called(const std::vector<std::string>& names, std::string_view host);

}  // namespace brownout::findings
