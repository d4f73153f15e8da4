#!/usr/bin/python3
"""dns_server.py ADDRESS NAME: answers queries for NAME's IPv4 address with ADDRESS, where it also listens (UDP, port 53).

Other types of NAME have no answer; other names do not exist.
"""

import socket
import struct
import sys

TYPE_A, CLASS_IN, NOT_THERE, TTL_S = 1, 1, 3, 5


def question_of(query):
    """The labels of the first question, its type and class, and where it ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii").lower())
        at += 1 + query[at]
    return (".".join(labels), *struct.unpack_from("!HH", query, at + 1), at + 5)


def answer_to(query, name, address):
    asked, kind, category, end = question_of(query)
    rcode = 0 if asked == name else NOT_THERE
    record = b""
    if not rcode and (kind, category) == (TYPE_A, CLASS_IN):
        record = struct.pack("!HHHIH", 0xC00C, TYPE_A, CLASS_IN, TTL_S, 4) + socket.inet_aton(address)
    return query[:2] + struct.pack("!HHHHH", 0x8580 | rcode, 1, bool(record), 0, 0) + query[12:end] + record


def main():
    address, name = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        print("ready", flush=True)
        while True:
            query, sender = server.recvfrom(512)
            try:
                server.sendto(answer_to(query, name, address), sender)
            except (IndexError, UnicodeDecodeError, struct.error):
                pass  # no query that a resolver makes


if __name__ == "__main__":
    main()
