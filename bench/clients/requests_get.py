"""requests_get.py ADDRESS PORT CONNECT_MS READ_MS: one request by requests, with timeout=(connect, read). It says how
it went; exit 0 if it was answered."""
import sys

import requests


def seconds(milliseconds):
    return int(milliseconds) / 1000 or None


address, port, connect_ms, read_ms = sys.argv[1:]
try:
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"http://{address}:{port}/", timeout=(seconds(connect_ms), seconds(read_ms)))
    print("answered")
except requests.RequestException as error:
    print(type(error).__name__)
    sys.exit(1)
