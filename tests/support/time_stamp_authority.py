#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A time-stamp authority (RFC 3161) on loopback: `openssl ts` behind HTTP, with certificates of its own.

    time_stamp_authority.py DIRECTORY    makes ca.pem there, writes the port to DIRECTORY/port, answers until it is ended
    time_stamp_authority.py DIRECTORY --answer QUERY ANSWER    one answer, without a network

While DIRECTORY/mood is there, it says how to answer: "refuse" (HTTP 503), "garbage", "old" (the answer to the first question), "silent".
"""
import http.server
import os
import pathlib
import subprocess
import sys
import time

CONFIG = """
[ tsa ]
serial = {0}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
clock_precision_digits = 0
"""


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_certificates(room):
    if (room / "ca.pem").exists():
        return
    (room / "tsa.cnf").write_text(CONFIG.format(room))
    (room / "extensions").write_text("extendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\n")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", room / "ca.key", "-out", room / "ca.new", "-days", "30", "-subj", "/CN=Test Root")
    openssl("req", "-new", *curve, "-keyout", room / "tsa.key", "-out", room / "tsa.csr", "-subj", "/O=Test/CN=Test Authority")
    openssl("x509", "-req", "-in", room / "tsa.csr", "-CA", room / "ca.new", "-CAkey", room / "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", room / "extensions", "-out", room / "tsa.pem")
    (room / "serial").write_text("01\n")
    (room / "ca.new").rename(room / "ca.pem")


def answer(room, query, into):
    openssl("ts", "-reply", "-config", room / "tsa.cnf", "-section", "tsa", "-queryfile", query, "-signer", room / "tsa.pem",
            "-inkey", room / "tsa.key", "-out", into)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        room = self.server.room
        mood = (room / "mood").read_text().strip() if (room / "mood").exists() else ""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/timestamp-query" or mood == "refuse":
            return self.send_error(503)
        if mood == "silent":
            return time.sleep(60)
        (room / "query").write_bytes(body)
        if mood == "garbage":
            reply = b"<html>no"
        else:
            if not (mood == "old" and (room / "answer").exists()):
                answer(room, room / "query", room / "answer")
            reply = (room / "answer").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


def main():
    room = pathlib.Path(sys.argv[1])
    make_certificates(room)
    if len(sys.argv) > 2:
        return answer(room, sys.argv[3], sys.argv[4])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.room = room
    (room / "port.new").write_text(str(server.server_port))
    os.rename(room / "port.new", room / "port")
    server.serve_forever()


if __name__ == "__main__":
    main()
