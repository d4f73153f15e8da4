// SPDX-License-Identifier: MIT
#include "packet_question.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

#include "brownout/connections.hpp"
#include "brownout/events.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

constexpr std::array kProtocolsOfPackets{std::pair{"tcp", IPPROTO_TCP}, std::pair{"udp", IPPROTO_UDP},
                                         std::pair{"icmp", IPPROTO_ICMP}};

std::unexpected<Error> not_a_packet(std::string_view packet, const std::string& why) {
  return fail(ErrorCode::kUsage, fmt::format("'{}' is not a packet: {}", visible(packet), why),
              "As in '10.0.0.2:4242 > 1.2.3.4:443 tcp', '[fd00::2]:53 > [fd00::1]:53 udp', '10.0.0.2 > 10.0.0.1 icmp'.");
}

// Its source is what `local` says, until it is known whose it is.
struct Question {
  brownout_flow_key flow{};
  bool ports = false;
};

bool take_end(std::string_view text, bool ports, __u8 (&address)[16], std::uint16_t& port) {
  if (ports) return events::parse_endpoint(text, address, port);
  const bool bare_six = text.contains(':') && !text.starts_with('[');
  return events::parse_endpoint(bare_six ? fmt::format("[{}]:0", text) : fmt::format("{}:0", text), address, port);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

Result<Question> question_of(std::string_view packet) {
  const auto text = trimmed(packet);
  const auto arrow = text.find('>'), space = text.rfind(' ');
  if (arrow == std::string_view::npos || space == std::string_view::npos || space < arrow)
    return not_a_packet(packet, "it must have SOURCE > DESTINATION PROTOCOL");
  const auto word = text.substr(space + 1);
  const auto protocol = std::ranges::find(kProtocolsOfPackets, word, [](const auto& one) { return std::string_view{one.first}; });
  if (protocol == kProtocolsOfPackets.end())
    return not_a_packet(packet, fmt::format("'{}' must be tcp, udp or icmp", visible(word)));
  Question question;
  question.flow.protocol = static_cast<__u8>(protocol->second);
  question.ports = protocol->second != IPPROTO_ICMP;
  const auto source = trimmed(text.substr(0, arrow)), destination = trimmed(text.substr(arrow + 1, space - arrow - 1));
  auto& flow = question.flow;
  if (!take_end(source, question.ports, flow.local_address, flow.local_port))
    return not_a_packet(packet, fmt::format("'{}' must be {}", visible(source), question.ports ? "ADDRESS:PORT" : "an address"));
  if (!take_end(destination, question.ports, flow.peer_address, flow.peer_port))
    return not_a_packet(packet, fmt::format("'{}' must be {}", visible(destination), question.ports ? "ADDRESS:PORT" : "an address"));
  return question;
}

// To or from the container, and what that was told by.
struct Way {
  brownout_direction direction = BROWNOUT_EGRESS;
  std::string told_by;
};
Result<Way> way_of(const brownout_flow_key& flow, const target::Target& target, std::string_view packet) {
  const auto addresses = target::addresses_of(target.pid);
  const bool from = addresses.contains(target::local_of(flow)), to = addresses.contains(target::peer_of(flow));
  if (from && to) return not_a_packet(packet, fmt::format("both ends are '{}', so that it never passes its veth", target.name));
  if (from) return Way{BROWNOUT_EGRESS, "its source is the target's"};
  if (to) return Way{BROWNOUT_INGRESS, "its destination is the target's"};
  return Way{BROWNOUT_EGRESS, "neither end is the target's: taken to be forwarded by it"};
}

std::string why_missed(const std::vector<std::string>& filters) {
  return filters.empty() ? std::string{"its filters together"} : fmt::format("{}", fmt::join(filters, ", "));
}

}  // namespace

Result<PacketAnswer> explain_packet(std::string_view packet, const plan::Plan& plan, const target::Target& target) {
  BROWNOUT_ASSIGN(auto question, question_of(packet));
  BROWNOUT_ASSIGN(const auto way, way_of(question.flow, target, packet));
  const bool leaves = way.direction == BROWNOUT_EGRESS;
  const auto flow = leaves ? question.flow : target::turned(question.flow);
  const auto fate = plan::fate_of(plan, flow, way.direction, question.ports);
  const bool spared = !fate.spared_as.empty();
  PacketAnswer answer{.text = fmt::format("packet {}: {} ({})\n", visible(trimmed(packet)), leaves ? "egress" : "ingress", way.told_by),
                      .json = {{"packet", visible(trimmed(packet))},
                               {"direction", leaves ? "egress" : "ingress"},
                               {"direction_told_by", way.told_by},
                               {"spared_as", spared ? nlohmann::json(fate.spared_as) : nlohmann::json()},
                               {"faults", nlohmann::json::array()}}};
  if (spared)
    answer.text += fmt::format("  spared by every fault: it is {}, and the drill does not have allow: [{}]\n", fate.spared_as,
                               fate.spared_as);
  for (std::size_t i = 0; i < fate.faults.size(); ++i) {
    const auto& [hit, missed_by] = fate.faults[i];
    answer.text += fmt::format("  fault {} ({}): {}\n", i + 1, plan.faults[i].label,
                               !hit     ? "missed, by " + why_missed(missed_by)
                               : spared ? std::string{"matches"}
                                        : std::string{"hit"});
    answer.json["faults"].push_back(
        {{"index", i}, {"label", plan.faults[i].label}, {"hit", hit && !spared}, {"missed_by", missed_by}});
  }
  return answer;
}

}  // namespace brownout::run
