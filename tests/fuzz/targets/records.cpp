// SPDX-License-Identifier: MIT
#include <cstring>

#include "../../../userspace/events/event_reader.hpp"
#include "../../../userspace/events/record_line.hpp"
#include "targets.hpp"

namespace brownout::fuzz {
namespace {

using namespace brownout::events;

template <typename Record>
bool reads(std::string_view line) {
  const auto record = parse_record<Record>(line, "fuzz:1");
  if (record) return true;
  require(record.error().code == ErrorCode::kFormat, "another error: " + record.error().render());
  require(record.error().what.starts_with("fuzz:1"), "no place: " + record.error().what);
  return false;
}

// The quick reader understands less than the other, and never something else.
bool reads_event(std::string_view line) {
  EventReader reader;
  brownout_event quick{};
  if (!reader.read(line, quick)) return reads<brownout_event>(line);
  const auto slow = parse_record<brownout_event>(line, "fuzz:1");
  require(slow.has_value(), "the quick reader takes what the other refuses");
  require(std::memcmp(&quick, &*slow, sizeof quick) == 0, "the two readers read different events");
  return true;
}

bool reads_snapshot(std::string_view line) {
  const auto snapshot = parse_record<Snapshot>(line, "fuzz:1");
  return snapshot && body_fits(*snapshot);
}

}  // namespace

bool records(std::string_view text) {
  if (text.empty()) return false;
  const auto line = text.substr(1);
  if (text[0] == 'p') return reads<PacketRecord>(line);
  switch (static_cast<unsigned char>(text[0]) % 6) {
    case 0: return reads<TimelineEntry>(line);
    case 1: return reads_event(line);
    case 2: return reads<CounterSample>(line);
    case 3: return reads<NameRecord>(line);
    case 4: return reads<LatencyRecord>(line);
    default: return reads_snapshot(line);
  }
}

}  // namespace brownout::fuzz
