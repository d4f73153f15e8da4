#!/usr/bin/python3
"""Figures of a demo bundle, computed from its raw files alone and apart from brownout's own code:

median call latency before and in the window, loss counters against the planned rate's binomial interval and against
the kernel's own counters past the drop point, failures with injection on their own flow next to app errors, and the
connections that were open before brownout came.
"""
import json
import math
import pathlib
import statistics
import sys

root = pathlib.Path(sys.argv[1])
DELAY_MS, RATE = 300.0, 0.08
LOSS = 1  # the second fault
problems = 0


def lines(name):
    with open(root / name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def expect(text, holds):
    global problems
    print(("ok    " if holds else "FAIL  ") + text)
    problems += not holds


def injected(event):
    return sum(event["dropped"].values()) + sum(event["held"].values())


def inside(dropped, matched):
    """Two-sided 99.99 % interval of Binomial(matched, RATE), summed exactly."""
    def below(k):
        return sum(math.comb(matched, i) * RATE**i * (1 - RATE)**(matched - i) for i in range(k + 1))
    return below(dropped) > 0.00005 and 1 - (below(dropped - 1) if dropped else 0) > 0.00005


events = lines("kernel/events.jsonl")
counters = [sample for sample in lines("kernel/counters.jsonl") if sample.get("faults")]
verdict = json.loads((root / "verdict.json").read_text())

calls = {phase: [event["duration_ns"] / 1e6 for event in events
                 if event["kind"] == "call" and event["phase"] == phase] for phase in ("baseline", "inject")}
before, during = (statistics.median(calls[phase]) for phase in ("baseline", "inject"))
tolerance = max(DELAY_MS * 0.05, 2.0)
expect(f"n >= 20 on each side: {len(calls['baseline'])}, {len(calls['inject'])}", min(map(len, calls.values())) >= 20)
expect(f"median call {before:.1f} -> {during:.1f} ms: {during - before:+.1f}, planned {DELAY_MS:+.0f} within {tolerance:.0f}",
       abs(during - before - DELAY_MS) <= tolerance)

failures = [event for event in events if "call_failed" in event["flags"] and event["phase"] == "inject"]
caused = [event for event in failures if injected(event)]
expect(f"kernel failures with injection on their own flow: {len(caused)} of {len(failures)}", bool(caused))
errors = [error for snapshot in lines("fingerprint/snapshots.jsonl") for error in snapshot.get("new_errors", [])]
expect(f"errors that the app recorded: {len(errors)}", bool(errors))

first, last = counters[0], counters[-1]
for direction, name in enumerate(("egress", "ingress")):
    fault = last["faults"][LOSS * 2 + direction]
    matched, dropped = fault["matched"]["packets"], fault["applied"]["packets"]
    expect(f"loss {name}: {dropped} of {matched}, planned {matched * RATE:.0f}", inside(dropped, matched))
    if name == "egress":
        seen = last["drop_witness"].get("TC_INGRESS", 0)
        expect(f"the kernel reports {seen} drops by TC_INGRESS on the device", abs(seen - dropped) <= 3)
    else:
        offered = last["inject"]["seen"][direction]["packets"] - first["inject"]["seen"][direction]["packets"]
        arrived = last["container_device"]["rx_packets"] - first["container_device"]["rx_packets"]
        gone = dropped - first["faults"][LOSS * 2 + direction]["applied"]["packets"]
        expect(f"the container's device took {arrived} of {offered} packets, {gone} dropped",
               abs(offered - gone - arrived) <= 5 + 0.005 * offered)

pool = [event for event in events if "preexisting" in event["flags"]]
expect(f"calls on connections that were open before: {sum(event['kind'] == 'call' for event in pool)}",
       any(event["kind"] == "call" and event["phase"] == "waiting" for event in pool))
expect("a failure on one of them was seen, with its owner",
       any("call_failed" in event["flags"] and event["comm"] == "python3" for event in pool))
expect("every check passes", all(check["outcome"] == "pass" for check in verdict["checks"]))
sys.exit(problems > 0)
