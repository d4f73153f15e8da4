// SPDX-License-Identifier: MIT
// Values are taken by their place alone. That is enough: what was understood is written again, and must be that line.
#include "event_reader.hpp"

#include <algorithm>
#include <concepts>

#include <netinet/in.h>

#include "event_line.hpp"
#include "names.hpp"

namespace brownout::events {
namespace {

class Values final : public Json::json_sax_t {
 public:
  explicit Values(brownout_event& into) : event_(into) {}

  bool number_unsigned(number_unsigned_t value) override {
    if (in_flags_) return false;
    switch (place_++) {
      case 0: return take(value, event_.sequence);
      case 1: return take(value, event_.t_mono_ns);
      case 8: return take(value, event_.pid);
      case 10: return take(value, event_.cookie);
      case 11: return take(value, event_.cgroup_id);
      case 12: return take(value, event_.call_start_ns);
      case 13: return take(value, event_.duration_ns);
      case 14: return take(value, event_.dropped[BROWNOUT_EGRESS]);
      case 15: return take(value, event_.dropped[BROWNOUT_INGRESS]);
      case 16: return take(value, event_.held[BROWNOUT_EGRESS]);
      case 17: return take(value, event_.held[BROWNOUT_INGRESS]);
      case 18: return take(value, event_.calls);
      case 19: return take(value, event_.error);
      case 21: return take(value, event_.retransmits);
      case 22: return take(value, event_.rtos);
      case 23: return take(value, event_.srtt_us);
      case 24: return take(value, event_.rto_us);
      default: return false;
    }
  }

  bool string(string_t& text) override {
    if (in_flags_) return take_flag(text);
    switch (place_++) {
      case 2: return take_name(text, kEventKinds, event_.kind);
      case 3: return true; // certainty: a flag says it again
      case 4: return take_name(text, kPhases, event_.phase);
      case 5: event_.flow.protocol = text == "udp" ? IPPROTO_UDP : IPPROTO_TCP; return true;
      case 6: return parse_endpoint(text, event_.flow.local_address, event_.flow.local_port);
      case 7: return parse_endpoint(text, event_.flow.peer_address, event_.flow.peer_port);
      case 9: return take_comm(text);
      case 20: return true; // the error's name: its number has been
      case 25: return take_name(text, kTcpStates, event_.old_state);
      case 26: return take_name(text, kTcpStates, event_.new_state);
      default: return false;
    }
  }

  bool null() override { return !in_flags_ && place_++ == 20; }
  bool start_array(std::size_t) override { return in_flags_ = place_ == 8; }
  bool end_array() override {
    in_flags_ = false;
    return true;
  }
  bool start_object(std::size_t) override { return ++depth_ <= 2; }
  bool end_object() override { return depth_-- > 0; }
  bool key(string_t&) override { return true; }
  bool boolean(bool) override { return false; }
  bool number_integer(number_integer_t) override { return false; }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  static bool take(std::uint64_t value, std::integral auto& into) {
    into = static_cast<std::remove_reference_t<decltype(into)>>(value);
    return true;
  }

  static bool take_name(std::string_view text, Names names, std::integral auto& into) {
    const auto found = std::ranges::find(names, text);
    return found != names.end() && take(static_cast<std::uint64_t>(found - names.begin()), into);
  }

  bool take_flag(std::string_view text) {
    std::uint32_t bit = 0;
    if (!take_name(text, kEventFlags, bit)) return false;
    event_.flags |= std::uint32_t{1} << bit;
    return true;
  }

  bool take_comm(std::string_view text) {
    if (text.size() > sizeof event_.comm) return false;
    std::ranges::copy(text, event_.comm);
    return true;
  }

  brownout_event& event_;
  int place_ = 0, depth_ = 0;
  bool in_flags_ = false;
};

}  // namespace

bool EventReader::read(std::string_view line, brownout_event& into) {
  into = {};
  Values values{into};
  if (!Json::sax_parse(line.data(), line.data() + line.size(), &values)) return false;
  again_.clear();
  append_line(again_, into);
  return std::string_view{again_.data(), again_.size()} == line;
}

}  // namespace brownout::events
