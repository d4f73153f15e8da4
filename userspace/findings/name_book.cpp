// SPDX-License-Identifier: MIT
#include "name_book.hpp"

#include <algorithm>
#include <cctype>
#include <limits>

#include "samples.hpp"

namespace brownout::findings {
namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

NameBook::NameBook(const events::Evidence& evidence) {
  for (const auto& record : evidence.names) {
    switch (record.source) {
      case events::NameSource::kSni:
      case events::NameSource::kHttpHost:
        add_once(said_[record.cookie], record.name);
        add_once(said_at_[{record.address, record.port}], record.name);
        break;
      case events::NameSource::kDns: given_[record.address].push_back({record.t_mono_ns, record.name}); break;
      case events::NameSource::kDnsQuestion: asked_[{record.t_mono_ns, record.cookie}] = record.name; break;
    }
  }
}

std::vector<std::string> NameBook::given_by(const std::string& address, std::int64_t t_mono_ns) const {
  std::vector<std::string> names;
  const auto given = given_.find(address);
  if (given == given_.end()) return names;
  for (const auto& record : given->second)
    if (record.t_mono_ns <= t_mono_ns) add_once(names, record.name);
  return names;
}

std::vector<std::string> NameBook::names_of(const brownout_event& event) const {
  if (const auto said = said_.find(event.cookie); said != said_.end()) return said->second;
  return given_by(events::address_text(event.flow.peer_address), call_start_ns(event));
}

std::vector<std::string> NameBook::names_at(const std::string& address, std::uint16_t port) const {
  if (const auto said = said_at_.find({address, port}); said != said_at_.end()) return said->second;
  return given_by(address, std::numeric_limits<std::int64_t>::max());
}

std::string NameBook::question_of(const brownout_event& event) const {
  const auto found = asked_.find({static_cast<std::int64_t>(event.call_start_ns), event.cookie});
  return found == asked_.end() ? std::string{} : found->second;
}

bool may_be_called(const std::vector<std::string>& names, std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string wanted{host};
  if (std::ranges::any_of(wanted, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return true;
  std::ranges::transform(wanted, wanted.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return names.empty() || std::ranges::any_of(names, [&](const std::string& name) {
    return name == wanted || name.starts_with(wanted + ".");
  });
}

}  // namespace brownout::findings
