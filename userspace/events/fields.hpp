// SPDX-License-Identifier: MIT
// The fields of the structs that are recorded whole, named once for writing and for reading.
#pragma once

#include <concepts>
#include <type_traits>

#include "brownout/events.hpp"

namespace brownout::events {

template <typename T, typename Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

template <Is<brownout_tally> S>
void for_each_field(S& s, auto&& field) {
  field("packets", s.packets);
  field("segments", s.segments);
  field("bytes", s.bytes);
}

template <Is<brownout_fault_counters> S>
void for_each_field(S& s, auto&& field) {
  field("matched", s.matched);
  field("decided", s.decided);
  field("applied", s.applied);
  field("clamped", s.clamped);
}

template <Is<brownout_inject_counters> S>
void for_each_field(S& s, auto&& field) {
  field("seen", s.seen);
  field("redirected", s.redirected);
  field("reinjected", s.reinjected);
  field("redirect_failed", s.redirect_failed);
  field("heartbeat_stale", s.heartbeat_stale);
  field("deadline_passed", s.deadline_passed);
  field("not_parsed", s.not_parsed);
  field("spared_dhcp", s.spared_dhcp);
  field("spared_metadata", s.spared_metadata);
  field("flow_table_full", s.flow_table_full);
  field("payload_not_traced", s.payload_not_traced);
  field("udp_payload", s.udp_payload);
  field("tap_foreign", s.tap_foreign);
  field("capped", s.capped);
}

template <Is<brownout_capture_counters> S>
void for_each_field(S& s, auto&& field) {
  field("captured", s.captured);
  field("lost", s.lost);
  field("beyond", s.beyond);
}

template <Is<brownout_trace_counters> S>
void for_each_field(S& s, auto&& field) {
  field("calls_started", s.calls_started);
  field("calls_completed", s.calls_completed);
  field("calls_failed", s.calls_failed);
  field("connects", s.connects);
  field("connected", s.connected);
  field("closed", s.closed);
  field("preexisting", s.preexisting);
  field("retransmits", s.retransmits);
  field("rtos", s.rtos);
  field("events_attempted", s.events_attempted);
  field("events_written", s.events_written);
  field("failures_lost", s.failures_lost);
  field("details_lost", s.details_lost);
  field("details_suppressed", s.details_suppressed);
  field("out_of_scope", s.out_of_scope);
  field("owner_unknown", s.owner_unknown);
  field("storage_failed", s.storage_failed);
  field("flow_table_full", s.flow_table_full);
  field("call_overlapped", s.call_overlapped);
  field("retransmits_probe", s.retransmits_probe);
  field("retransmits_synack", s.retransmits_synack);
  field("connects_failed", s.connects_failed);
  field("established_resets", s.established_resets);
  field("timeout_aborts", s.timeout_aborts);
  field("resets_sent", s.resets_sent);
  field("waits_expired", s.waits_expired);
  field("out_of_scope_here", s.out_of_scope_here);
  field("rtos_unseen", s.rtos_unseen);
  field("programs_missed", s.programs_missed);
  field("source_disagreement", s.source_disagreement);
  field("payloads_attempted", s.payloads_attempted);
  field("payloads_written", s.payloads_written);
  field("payloads_lost", s.payloads_lost);
  field("payloads_suppressed", s.payloads_suppressed);
  field("payloads_cut", s.payloads_cut);
  field("dns_queries", s.dns_queries);
  field("dns_answered", s.dns_answered);
  field("dns_untracked", s.dns_untracked);
}

template <Is<kernel::LineCounters> S>
void for_each_field(S& s, auto&& field) {
  field("received", s.received);
  field("reinjected", s.reinjected);
  field("held", s.held);
  field("held_bytes", s.held_bytes);
  field("overflow", s.overflow);
  field("expired", s.expired);
  field("write_errors", s.write_errors);
  field("foreign", s.foreign);
  field("device_drops", s.device_drops);
  field("late_p50_us", s.late_p50_us);
  field("late_p99_us", s.late_p99_us);
  field("late_max_us", s.late_max_us);
  field("hold_p50_us", s.hold_p50_us);
}

template <Is<kernel::DelayFigures> S>
void for_each_field(S& s, auto&& field) {
  field("packets", s.packets);
  field("decided_p50_us", s.decided_p50_us);
  field("decided_p99_us", s.decided_p99_us);
  field("decided_max_us", s.decided_max_us);
  field("order_held", s.order_held);
  field("order_p50_us", s.order_p50_us);
  field("order_p99_us", s.order_p99_us);
  field("order_max_us", s.order_max_us);
}

template <Is<kernel::DeviceCounters> S>
void for_each_field(S& s, auto&& field) {
  field("rx_packets", s.rx_packets);
  field("rx_bytes", s.rx_bytes);
  field("rx_dropped", s.rx_dropped);
  field("tx_packets", s.tx_packets);
  field("tx_bytes", s.tx_bytes);
  field("tx_dropped", s.tx_dropped);
}

template <Is<ClockOffsets> S>
void for_each_field(S& s, auto&& field) {
  field("at_monotonic_ns", s.at_monotonic_ns);
  field("realtime_offset_ns", s.realtime_offset_ns);
  field("boottime_offset_ns", s.boottime_offset_ns);
  field("uncertainty_ns", s.uncertainty_ns);
}

template <Is<NameReader::Counts> S>
void for_each_field(S& s, auto&& field) {
  field("recorded", s.recorded);
  field("repeated", s.repeated);
  field("nameless", s.nameless);
  field("cut", s.cut);
  field("malformed", s.malformed);
  field("beyond", s.beyond);
}

template <Is<RunFile> S>
void for_each_field(S& s, auto&& field) {
  field("path", s.path);
  field("size", s.size);
  field("inode", s.inode);
  field("mtime_ns", s.mtime_ns);
  field("sha256", s.sha256);
}

}  // namespace brownout::events
