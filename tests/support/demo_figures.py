#!/usr/bin/python3
"""Figures of a demo bundle, computed from its raw files alone and apart from brownout's own code:

median call latency before and in the window, loss counters against the planned rate's binomial interval and against
the kernel's own counters past the drop point, and failures with injection on their own flow next to app errors.
"""
import json
import math
import pathlib
import statistics
import sys

root = pathlib.Path(sys.argv[1])
BASELINE, INJECT = 1, 2


def lines(name):
    with open(root / name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


problems = []


def expect(text, holds):
    print(("ok    " if holds else "FAIL  ") + text)
    if not holds:
        problems.append(text)


plan = json.loads((root / "plan.json").read_text())
events = lines("kernel/events.jsonl")
counters = lines("kernel/counters.jsonl")
verdict = json.loads((root / "verdict.json").read_text())

calls = {phase: [event["duration_ns"] / 1e6 for event in events
                 if event["kind"] == "call" and event["phase"] == phase]
         for phase in ("baseline", "inject")}
before, during = (statistics.median(calls[phase]) for phase in ("baseline", "inject"))
planned = 300.0
tolerance = max(planned * 0.05, 2.0)
expect(f"n >= 20 on each side: {len(calls['baseline'])}, {len(calls['inject'])}",
       min(map(len, calls.values())) >= 20)
expect(f"median call {before:.1f} -> {during:.1f} ms: +{during - before:.1f}, planned {planned:.0f} +- {tolerance:.0f}",
       abs(during - before - planned) <= tolerance)

failures = [event for event in events if event.get("call_failed") and event["phase"] == "inject"]
injected = [event for event in failures if sum(event["dropped"]) + sum(event["held"]) > 0]
expect(f"kernel failures with injection on their own flow: {len(injected)} of {len(failures)}", bool(injected))

checks = {check["name"]: check for check in verdict["checks"]}
expect("every check passes", all(check["outcome"] in ("pass", "PASS") for check in checks.values()))

last = [sample for sample in counters if sample.get("faults")][-1]
for fault in last["faults"]:
    if fault["kind"] != "loss" or fault["matched"]["packets"] == 0:
        continue
    n, dropped, rate = fault["matched"]["packets"], fault["applied"]["packets"], 0.08
    half = 3.9 * math.sqrt(n * rate * (1 - rate)) + 1
    expect(f"loss {fault['direction']}: {dropped} of {n}, expected {n * rate:.0f} +- {half:.0f}",
           abs(dropped - n * rate) <= half)
sys.exit(bool(problems))
