#!/usr/bin/python3
"""shares.py BUNDLE_DIRECTORY SHARE: are exactly the connections of that share hit, each as a whole?

The draw is computed as docs/randomness.md has it, from what the bundle records. Figures go to stdout.
"""
import ipaddress
import json
import pathlib
import struct
import sys

PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
WORD = (1 << 64) - 1


def absorb(state, word):
    z = ((state ^ word) + 0x9E3779B97F4A7C15) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def endpoint(text):
    """(16 bytes, port) of "10.0.0.1:443" or "[fd00::1]:443"."""
    address, port = text.rsplit(":", 1)
    address = ipaddress.ip_address(address.strip("[]"))
    mapped = b"\0" * 10 + b"\xff\xff" + address.packed if address.version == 4 else address.packed
    return mapped, int(port)


def share_of(seed, local, peer, protocol):
    (local_address, local_port), (peer_address, peer_port) = endpoint(local), endpoint(peer)
    key = local_address + peer_address + struct.pack("<HHB3x", local_port, peer_port, protocol)
    state = seed
    for word in struct.unpack("<5Q", key):
        state = absorb(state, word)
    return (absorb(state, 2) >> 32) / 2**32


def flow_of(packet):
    """Local and peer, of TCP over IPv4 over Ethernet."""
    ip = bytes.fromhex(packet["headers"])[14:]
    tcp = ip[(ip[0] & 15) * 4:]
    ends = [f"{ipaddress.ip_address(ip[12 + 4 * i:16 + 4 * i])}:{int.from_bytes(tcp[2 * i:2 * i + 2], 'big')}" for i in (0, 1)]
    return ends if packet["direction"] == "egress" else ends[::-1]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def main():
    bundle, wanted = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    seed = int(json.loads((bundle / "plan.json").read_text())["seed"])
    problems = []
    hit, spared, packets = set(), set(), 0
    for event in lines(bundle / "kernel/events.jsonl"):
        if event["kind"] not in ("call", "closed_unanswered", "connect", "read_timeout"):
            continue
        flow = (event["local"], event["peer"])
        is_in = share_of(seed, *flow, PROTOCOLS[event["transport"]]) < wanted
        if "hit" not in event["flags"]:
            problems.append(f"{event['kind']} on {flow} is not of what matches: {event['flags']}")
        if sum(event["dropped"].values()) + sum(event["held"].values()) > 0 and not is_in:
            problems.append(f"{event['kind']} on {flow}: injected on a connection of no share")
        (hit if is_in else spared).add(flow)
    for packet in lines(bundle / "kernel/packets.jsonl"):
        packets += 1
        flow = flow_of(packet)
        if share_of(seed, *flow, PROTOCOLS["tcp"]) >= wanted:
            problems.append(f"a packet of {flow} was {packet['verdict']}")
    print(f"{len(hit)} connections in the share, {len(spared)} not, {packets} packets hit")
    if not hit or not spared or not packets:
        problems.append("one of these is none: nothing is shown")
    print("\n".join(problems[:20]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
