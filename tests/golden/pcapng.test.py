#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`brownout export pcapng` as tcpdump reads it, and block by block by the format's own text: times, lengths, directions,
comments and statistics are those of the records."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from skipping import skip  # noqa: E402

BROWNOUT = os.environ["BROWNOUT"]
CASE = ROOT / "tests/golden/cases/seed"
BOUND = 1000
failures = []


def expect(what, held):
    if not held:
        failures.append(what)


def syn(source, dest, port):
    """Ethernet, IPv4 and TCP headers of a SYN."""
    ethernet = bytes([2] * 12) + struct.pack("!H", 0x0800)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1000, 1, 0, 64, 6, 0, bytes(source), bytes(dest))
    return ethernet + ip + struct.pack("!HHIIBBHHH", port, 443, 1, 0, 5 << 4, 2, 1024, 0, 0)


def evidence(directory, packets):
    """A recorded case with packets on record beside what it has."""
    shutil.copytree(CASE, directory)
    drill = directory / "drill.yaml"
    drill.write_text(drill.read_text() + f"\ncapture: {{packets: {BOUND}}}\n")
    counters = directory / "kernel/counters.jsonl"
    samples = [json.loads(line) for line in counters.read_text().splitlines()]
    counts = {"captured": [0, 0], "lost": [3, 0], "beyond": [0, 0]}
    for packet in packets:
        counts["captured"][packet["direction"] == "ingress"] += 1
    lines = []
    for sample in samples:
        out = {}
        for key, value in sample.items():
            out[key] = value
            if key == "delays":
                out["capture"] = counts
        lines.append(json.dumps(out, separators=(",", ":"), ensure_ascii=False))
    counters.write_text("".join(line + "\n" for line in lines))
    lines = [json.dumps(packet, separators=(",", ":")) for packet in packets]
    (directory / "kernel/packets.jsonl").write_text("".join(line + "\n" for line in lines))


def clock_of(directory):
    entries = [json.loads(line) for line in (directory / "timeline.jsonl").read_text().splitlines()]
    return [entry for entry in entries if entry["kind"] == "clock"]


def utc_ns(clocks, t):
    first, last = clocks[0], clocks[-1]
    span = last["at_monotonic_ns"] - first["at_monotonic_ns"]
    growth = last["realtime_offset_ns"] - first["realtime_offset_ns"]
    return t + first["realtime_offset_ns"] + int((t - first["at_monotonic_ns"]) / span * growth)


def blocks(data):
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0 and struct.unpack_from("<I", data, at + length - 4)[0] == length
        yield kind, data[at + 8:at + length - 4]
        at += length


def options(data):
    found, at = {}, 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        found[code] = data[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
    return found


def check_blocks(data, packets, clocks):
    found = list(blocks(data))
    expect("section header first", found[0][0] == 0x0A0D0D0A)
    expect("the section names the verdict", b"verdict " in options(found[0][1][16:])[1])
    kinds = [kind for kind, _ in found]
    expect(f"blocks {kinds[:6]}", kinds == [0x0A0D0D0A, 1, 1] + [6] * len(packets) + [5, 5])
    for kind, body in found[1:3]:
        expect("nanoseconds", options(body[8:])[9] == b"\x09")
    wanted = sorted(packets, key=lambda packet: packet["t_mono_ns"])
    for packet, (kind, body) in zip(wanted, found[3:-2]):
        interface, high, low, captured, length = struct.unpack_from("<IIIII", body)
        said = options(body[20 + (captured + 3) // 4 * 4:])
        expect("interface", interface == (packet["direction"] == "ingress"))
        expect("direction", struct.unpack("<I", said[2])[0] == (1 if packet["direction"] == "ingress" else 2))
        expect("comment", said[1].decode().startswith(packet["verdict"]))
        expect("bytes", body[20:20 + captured].hex() == packet["headers"])
        expect("length", length == packet["length"])
        expect("time", abs((high << 32 | low) - utc_ns(clocks, packet["t_mono_ns"])) < 1000)
    for (kind, body), lost in zip(found[-2:], (3, 0)):
        expect("lost packets are the system's drops", struct.unpack("<Q", options(body[12:])[7])[0] == lost)


def check_tcpdump(file, packets, clocks):
    told = subprocess.run(["tcpdump", "-r", file, "-n", "-tt", "-e", "-#", "--nano", "tcp[13] & 2 != 0"], capture_output=True, text=True, check=False)
    expect(f"tcpdump: {told.stderr}", told.returncode == 0)
    lines = told.stdout.splitlines()
    expect(f"tcpdump: {len(lines)} lines", len(lines) == len(packets))
    for line, packet in zip(lines, sorted(packets, key=lambda packet: packet["t_mono_ns"])):
        seconds, nanoseconds = line.split()[1].split(".")
        expect(f"tcpdump: time: {line}", abs(int(seconds) * 10**9 + int(nanoseconds) - utc_ns(clocks, packet["t_mono_ns"])) < 1000)
        expect(f"tcpdump: length: {line}", f"length {packet['length']}:" in line)
        expect(f"tcpdump: addresses: {line}", (".443: Flags [S]" in line) and "10.0.0.2." in line)


def main():
    if not shutil.which("tcpdump"):
        skip("tcpdump is not installed")
    clocks = clock_of(CASE)
    start = clocks[0]["at_monotonic_ns"]
    packets = []
    for i in range(200):
        inward = i % 3 == 0
        # Two CPUs take turns: not in order.
        packets.append({"t_mono_ns": start + (i ^ 1) * 1_000_001, "direction": "ingress" if inward else "egress",
                        "verdict": "dropped" if i % 7 == 0 else "delayed", "faults": [i % 2], "number": i if i % 5 else None,
                        "drawn_ns": 1_500_000_000 + i, "delay_ns": 1_500_000_000 + i, "length": 60 + i, "segments": 1,
                        "headers": syn((10, 0, 0, 2), (10, 0, 0, 1), 2000 + i).hex()})
    with tempfile.TemporaryDirectory() as work:
        directory = pathlib.Path(work) / "evidence"
        evidence(directory, packets)
        file = pathlib.Path(work) / "out.pcapng"
        told = subprocess.run([BROWNOUT, "export", "pcapng", directory, "--out", file], capture_output=True, text=True, check=False)
        expect(f"export: {told.returncode} {told.stderr}", told.returncode == 0)
        piped = subprocess.run([BROWNOUT, "export", "pcapng", directory], capture_output=True, check=False).stdout
        expect("the same to stdout", told.returncode != 0 or piped == file.read_bytes())
        if told.returncode == 0:
            check_blocks(file.read_bytes(), packets, clocks)
            check_tcpdump(file, packets, clocks)
        refused = subprocess.run([BROWNOUT, "export", "pcapng", CASE], capture_output=True, text=True, check=False)
        expect(f"without a capture: {refused.stderr}", refused.returncode != 0 and "capture: {packets" in refused.stderr)
    for failure in failures[:20]:
        print(f"FAIL: {failure}")
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
