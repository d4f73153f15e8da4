// SPDX-License-Identifier: MIT
// Why a prerequisite does not hold. docs/verdict.md has the same table; a test holds one against the other.
#include <array>

#include "reasons.hpp"

namespace brownout::verdict {
namespace {

constexpr std::array kReasons{
    ReasonText{Reason::kInterruptedByError, 1, "interrupted_by_error",
               "The drill itself could not go on; what was injected until then was undone.",
               "Read the error in the detail and in timeline.jsonl, run `brownout doctor`, and run the drill again.",
               "window_as_planned: interrupted_by_error: the TAP device could not be made: Operation not permitted"},
    ReasonText{Reason::kLeftovers, 2, "leftovers",
               "Something that brownout made in the kernel was still there after the clean-up, or nobody looked.",
               "Remove what the detail lists (`bpftool link`, `ip link`), then report it: this must not happen.",
               "cleanup: leftovers: 1 left: interface 17"},
    ReasonText{Reason::kFaultNotEffective, 10, "fault_not_effective",
               "The fault matched no packet, or what it decided was not carried out.",
               "Compare `faults[].match` of the drill (cidr, port, protocol, direction) with the peers in "
               "kernel/events.jsonl.",
               "fault_effective: fault 2 loss egress: fault_not_effective: no packet matched in 20 s"},
    ReasonText{Reason::kRunDirectoryMissing, 11, "run_directory_missing",
               "The app's run directory did not appear before the time-out, so that nothing was injected.",
               "Start the app first, or correct `app.run_dir` of the drill (newest match of the glob).",
               "window_as_planned: run_directory_missing: nothing matches /var/lib/app/runs/run_*"},
    ReasonText{Reason::kCallsUnsupported, 12, "calls_unsupported",
               "The target speaks UDP (QUIC, for one) on matched ports, where calls cannot be counted.",
               "Make the app use TCP for the drill, or narrow `faults[].match` with `protocol: tcp`.",
               "pressure: calls_unsupported: 4211 matched UDP packets with payload, and 0 calls over TCP"},
    ReasonText{Reason::kNoPressure, 13, "no_pressure",
               "Too few calls were completed on the flows that the faults would hit: there was nothing to degrade.",
               "Put load on the app, or lower `pressure.min_calls` or lengthen `pressure.within` of the drill.",
               "pressure: no_pressure: 0 of 20 completed calls within 60 s"},
    ReasonText{Reason::kWindowTruncated, 14, "window_truncated",
               "A STOP file or a signal ended the injection before the planned time.",
               "Run the drill again and leave it alone until `phases.inject` is over.",
               "window_as_planned: window_truncated: 6.2 s of 20 s: stop file"},
    ReasonText{Reason::kFaultHalted, 15, "fault_halted",
               "Packets passed unharmed in the window because brownout's heartbeat was late or its deadline over.",
               "Give brownout more CPU time (a busy machine starves it), or shorten `phases.inject`.",
               "fault_effective: fault 1 latency egress: fault_halted: 118 packets passed while the beat was stale"},
    ReasonText{Reason::kWitnessDisagrees, 16, "witness_disagrees",
               "The injector's own counters and a witness outside it do not tell the same story.",
               "Look for other drops or delays on the same interface (`tc`, other BPF programs, a full queue); if "
               "there are none, report it.",
               "fault_effective: fault 2 loss egress: witness_disagrees: kfree_skb TC_INGRESS 0, expected 96 to 102"},
    ReasonText{Reason::kFaultExceededPlan, 17, "fault_exceeded_plan",
               "The delay line lost packets that the plan did not ask to lose (overflow, expiry, device drops).",
               "Narrow `faults[].match` to less traffic or shorten `delay`, so that fewer packets are held at once.",
               "fault_effective: fault 1 latency egress: fault_exceeded_plan: 340 of 12000 matched packets lost"},
    ReasonText{Reason::kSampleTooSmall, 18, "sample_too_small",
               "Too few packets or calls to tell the planned fault from chance.",
               "Lengthen `phases.inject`, put more load on the app, or raise the fault's `rate`.",
               "fault_effective: fault 2 loss egress: sample_too_small: 3.2 drops expected, 10 needed"},
    ReasonText{Reason::kPressureNotSustained, 19, "pressure_not_sustained",
               "Calls ceased during the window: parts of it had no call started or in flight.",
               "Keep the load up for all of `phases.inject`, or shorten it.",
               "pressure: pressure_not_sustained: calls in 50 % of the window's 5 s bins, 80 % needed"},
    ReasonText{Reason::kCallsUnreliable, 20, "calls_unreliable",
               "The calls counted in the kernel and the app's own `api_calls` differ by more than a factor of two.",
               "Check `app.process.comm` and `faults[].match`; a protocol that multiplexes (HTTP/2) is counted in "
               "turns.",
               "pressure: calls_unreliable: 3.4 kernel calls per api_call, 0.5 to 2 allowed"},
    ReasonText{Reason::kBaselineTooSmall, 21, "baseline_too_small",
               "The baseline has too few completed calls, or was cut short: there is nothing to compare with.",
               "Lengthen `phases.baseline` or put more load on the app.",
               "baseline: baseline_too_small: 4 completed calls in 8 s, 20 needed"},
    ReasonText{Reason::kBaselineAlreadyFailing, 22, "baseline_already_failing",
               "Calls failed before anything was injected, so that later failures prove little.",
               "Repair the app or its peer first; the failures of the baseline are in the evidence.",
               "baseline: baseline_already_failing: 14 of 80 calls failed before the injection"},
    ReasonText{Reason::kTraceIncomplete, 23, "trace_incomplete",
               "Events that the verdict needs were lost, or sockets could not be followed.",
               "Give brownout more CPU time, or narrow `faults[].match` so that fewer sockets are followed.",
               "trace_complete: trace_incomplete: 12 failures had no room in the ring"},
    ReasonText{Reason::kConnectionsNotObserved, 24, "connections_not_observed",
               "Matched payload went over sockets that the tracer does not know.",
               "Let the app reconnect (kernels before 6.12 cannot enrol open connections), or target the cgroup that "
               "owns the sockets.",
               "trace_complete: connections_not_observed: 12 % of the matched packets belong to no traced socket"},
    ReasonText{Reason::kClockStep, 25, "clock_step",
               "The wall clock was set during the drill, so that the app's time stamps cannot be placed.",
               "Let the clock synchronise first (`chronyc waitsync`, `timedatectl`), then run the drill again.",
               "clock: clock_step: the wall clock moved by 1.8 s against the monotonic one, 0.25 s allowed"},
    ReasonText{Reason::kRunChanged, 26, "run_changed",
               "A newer run directory appeared: the app was restarted and the sampled file is of the old run.",
               "Keep the app from restarting during the drill; if it crashes, that is the finding.",
               "counters: run_changed: a newer match of /var/lib/app/runs/run_* appeared"},
    ReasonText{Reason::kCountersAbsent, 27, "counters_absent",
               "The fingerprint, or the counter that a gate names, was never readable.",
               "Correct `app.fingerprint` or the gate's `pointer`; the snapshots are in fingerprint/snapshots.jsonl.",
               "counters: counters_absent: execution_fingerprint.json was absent in all of 3 versions"},
    ReasonText{Reason::kSamplingGap, 28, "sampling_gap",
               "The fingerprint was not looked at for more than a second.",
               "Give brownout more CPU time; a fingerprint of many megabytes takes long to parse.",
               "counters: sampling_gap: 2.4 s between two looks, 1 s allowed"},
    ReasonText{Reason::kRequiredFilesMissing, 29, "required_files_missing",
               "Files that the drill requires of the run directory were not there at the end.",
               "Correct `app.required`, or let the app write them before the drill ends (`phases.settle`).",
               "bundle_complete: required_files_missing: run_manifest.json"},
};

}  // namespace

std::span<const ReasonText> reasons_of_prerequisites() { return kReasons; }

}  // namespace brownout::verdict
