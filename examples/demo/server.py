#!/usr/bin/python3
"""A small exchange-like REST API over HTTP/1.1, for trying things out.

GET  /api/v5/market/ticker?instId=BTC-USDT
POST /api/v5/trade/order     {"instId": ..., "side": ..., "sz": ...}

Every answer takes the same think time, so that latencies are stable.
"""

import argparse
import itertools
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one piece
    timeout = 60  # a connection idle for longer is closed

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path != "/api/v5/market/ticker":
            return self.answer(404, {"code": "404", "msg": "no such endpoint", "data": []})
        instrument = parse_qs(url.query).get("instId", ["BTC-USDT"])[0]
        now_ms = str(int(time.time() * 1000))
        self.answer(200, ok({"instId": instrument, "last": "87654.3", "ts": now_ms}))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if urlsplit(self.path).path != "/api/v5/trade/order":
            return self.answer(404, {"code": "404", "msg": "no such endpoint", "data": []})
        try:
            json.loads(body)
        except ValueError:
            return self.answer(400, {"code": "50002", "msg": "JSON syntax error", "data": []})
        self.answer(200, ok({"ordId": str(next(self.server.order_ids)), "sCode": "0"}))

    def answer(self, status, document):
        time.sleep(self.server.think_seconds)
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, _request, _client_address):
        pass  # a client that went away is its own business


def ok(row):
    return {"code": "0", "msg": "", "data": [row]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("port", type=int, help="0 takes a free one; the ready line tells which")
    parser.add_argument("--think-ms", type=float, default=40, help="time an answer takes (%(default)s)")
    args = parser.parse_args()

    with Server((args.address, args.port), Handler) as server:
        server.think_seconds = args.think_ms / 1000
        server.order_ids = itertools.count(1)
        print("ready", *server.server_address, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
