#!/usr/bin/python3
"""A trading bot's API client, reduced to its calls: several workers ask for prices and send orders.

Each run keeps a directory RUNS_DIR/run_YYYYMMDD_HHMMSS_unknown with run_manifest.json (what ran,
and how it ended) and execution_fingerprint.json (what happened to its API calls).
"""

import argparse
import itertools
import json
import os
import random
import signal
import threading
import time
from collections import deque
from datetime import datetime, timezone
from pathlib import Path

import requests

MODE = "okx_demo_api"
WRITE_INTERVAL_S = 0.25
ORDER_EVERY = 5  # calls
LATENCIES_KEPT = 500


def utc_text(moment=None):
    moment = moment or datetime.now(timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def write_json(path, document):
    """Replaces the file in one step: a reader sees the old or the new one, never half of it."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(document, indent=2) + "\n")
    os.replace(temporary, path)


def percentile(ordered, fraction):
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * fraction))], 3) if ordered else None


class Fingerprint:
    """Counts what happened to the calls; shared by all workers."""

    def __init__(self, run_id):
        self.run_id = run_id
        self.lock = threading.Lock()
        self.api_calls = 0
        self.orders_sent = 0
        self.error_events = []
        self.latencies_ms = deque(maxlen=LATENCIES_KEPT)
        self.completed = 0

    def count_call(self, is_order):
        with self.lock:
            self.api_calls += 1
            self.orders_sent += is_order

    def add_latency(self, milliseconds):
        with self.lock:
            self.completed += 1
            self.latencies_ms.append(milliseconds)

    def add_error(self, failed_at, where, url, error):
        with self.lock:
            self.error_events.append({
                "ts_utc": utc_text(failed_at),
                "type": error_type(error),
                "where": where,
                "message": str(error),
                "exception_type": type(error).__name__,
                "url": url,
            })

    def document(self):
        with self.lock:
            ordered = sorted(self.latencies_ms)
            return {
                "run_id": self.run_id,
                "updated_utc": utc_text(),
                "api_calls": self.api_calls,
                "orders_sent": self.orders_sent,
                "error_count": len(self.error_events),
                "error_events": list(self.error_events),
                "latency_stats_ms": {
                    "count": self.completed,
                    "p50": percentile(ordered, 0.50),
                    "p95": percentile(ordered, 0.95),
                    "max": percentile(ordered, 1.0),
                },
            }


def error_type(error):
    if isinstance(error, requests.exceptions.Timeout):
        return "timeout"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "connection_error"
    return "request_exception"


class ApiClient:
    def __init__(self, args, fingerprint):
        self.base_url = args.base_url.rstrip("/")
        self.timeouts = (args.connect_timeout, args.read_timeout)
        self.swallow_errors = args.swallow_errors
        self.fingerprint = fingerprint
        self.session = requests.Session()
        self.session.trust_env = False  # no proxies, no .netrc
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=args.workers))

    def fetch_ticker(self):
        self.call("fetch_ticker", "GET", "/api/v5/market/ticker", params={"instId": "BTC-USDT"})

    def place_order(self):
        order = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "market", "sz": "5"}
        self.call("place_order", "POST", "/api/v5/trade/order", json=order)

    def call(self, where, method, path, **arguments):
        url = self.base_url + path
        self.fingerprint.count_call(is_order=where == "place_order")
        started = time.monotonic()
        try:
            response = self.session.request(method, url, timeout=self.timeouts, **arguments)
            response.raise_for_status()
        except requests.exceptions.RequestException as error:
            failed_at = datetime.now(timezone.utc)
            if not self.swallow_errors:
                self.fingerprint.add_error(failed_at, where, url, error)
        else:
            self.fingerprint.add_latency((time.monotonic() - started) * 1000)


class Run:
    """The run's directory, and how the run ends."""

    def __init__(self, args):
        self.stop_file = Path(args.stop_file) if args.stop_file else None
        self.ended = threading.Event()
        self.directory = make_run_directory(Path(args.runs_dir))
        self.fingerprint = Fingerprint(self.directory.name)
        self.manifest = {
            "run_id": self.directory.name,
            "mode": MODE,
            "start_ts_utc": utc_text(),
            "end_ts_utc": None,
            "status": "running",
            "git_commit": "unknown",
            "docker_image_tag": "unknown",
            "stop_detected": False,
            "stop_time": None,
            "stop_reason": None,
        }
        self.write_manifest()

    def stop(self, reason):
        if not self.manifest["stop_detected"]:
            self.manifest.update(
                status="interrupted", stop_detected=True, stop_time=utc_text(), stop_reason=reason)
        self.ended.set()

    def keep_files_until_ended(self, duration):
        deadline = time.monotonic() + duration if duration else None
        while not self.ended.is_set():
            self.write_fingerprint()
            if self.stop_file and self.stop_file.exists():
                self.stop("stop_file")
            elif deadline and time.monotonic() >= deadline:
                self.manifest["status"] = "completed"
                self.ended.set()
            self.ended.wait(WRITE_INTERVAL_S)

    def close(self):
        self.write_fingerprint()
        self.manifest["end_ts_utc"] = utc_text()
        self.write_manifest()

    def write_fingerprint(self):
        write_json(self.directory / "execution_fingerprint.json", self.fingerprint.document())

    def write_manifest(self):
        write_json(self.directory / "run_manifest.json", self.manifest)


def make_run_directory(runs_dir):
    """The name ends in the commit, which is not known here. One second has one run."""
    while True:
        directory = runs_dir / datetime.now(timezone.utc).strftime("run_%Y%m%d_%H%M%S_unknown")
        try:
            directory.mkdir(parents=True)
            return directory
        except FileExistsError:
            time.sleep(0.1)


def work(client, ended, pacing):
    for number in itertools.count(1):
        if ended.is_set():
            return
        if number % ORDER_EVERY:
            client.fetch_ticker()
        else:
            client.place_order()
        ended.wait(pacing * random.uniform(0.5, 1.5))  # or the workers march in step


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--runs-dir", required=True)
    parser.add_argument("--stop-file", help="the run ends when this file appears")
    parser.add_argument("--duration", type=float, default=0, help="seconds to run; 0: until stopped")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--pacing-ms", type=float, default=50, help="mean pause of a worker between calls")
    parser.add_argument("--connect-timeout", type=float, default=0.8, help="seconds")
    parser.add_argument("--read-timeout", type=float, default=0.8, help="seconds")
    parser.add_argument("--calls", choices=["all", "none"], default="all", help="none: sit idle")
    parser.add_argument("--swallow-errors", action="store_true", help="go on and record nothing")
    return parser.parse_args()


def main():
    args = parse_arguments()
    run = Run(args)
    signal.signal(signal.SIGTERM, lambda *_: run.stop("sigterm"))
    signal.signal(signal.SIGINT, lambda *_: run.stop("sigint"))

    client = ApiClient(args, run.fingerprint)
    workers = [] if args.calls == "none" else [
        threading.Thread(target=work, args=(client, run.ended, args.pacing_ms / 1000))
        for _ in range(args.workers)
    ]
    for worker in workers:
        worker.start()
    run.keep_files_until_ended(args.duration)
    for worker in workers:
        worker.join()
    run.close()


if __name__ == "__main__":
    main()
