#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a disk has after a power cut, at each moment of a drill, by what strace saw it do.

  power_cut.py STRACE_PREFIX OUT WORK BROWNOUT [EVERY]

STRACE_PREFIX.TID are the threads' logs (strace -ff -ttt -T -y -xx), OUT is the drill's --out as it was left. The file
operations beneath OUT are replayed. Before each sync takes effect the power fails, three times: what was synced is there
and nothing else, names of files included (synced); all is there, but what was not synced only by half (torn); or with
its length and no bytes (zeros). `brownout recover` then has to seal what there was. JSON on stdout.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import Counter

CALL = re.compile(r"^(\d+\.\d+) (\w+)\((.*)\) += (\d+)(?:<.*>(?:\(deleted\))?)? (?:\(.*\) )?<(\d+\.\d+)>$")
RECORDS = ("timeline.jsonl", "kernel/events.jsonl", "kernel/counters.jsonl", "kernel/names.jsonl",
           "kernel/latency.jsonl", "fingerprint/snapshots.jsonl")


def plain(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode("latin-1"))


def arguments(text):
    """Split at commas that are in no string, bracket or <path>."""
    parts, depth, quoted, start = [], 0, False, 0
    for i, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif c in "<[{":
            depth += 1
        elif c in ">]}":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return parts + [text[start:].strip()]


class Operation:
    def __init__(self, match):
        self.start = float(match[1])
        self.call = match[2]
        self.arguments = arguments(match[3])
        self.result = int(match[4])
        self.end = self.start + float(match[5])

    def string(self, index):
        return plain(self.arguments[index].strip('"'))

    def fd(self, index):
        return int(self.arguments[index].split("<")[0])

    def path(self, directory, name):
        """Of a name beneath what a directory's descriptor is annotated with; directory None: beneath the process's own."""
        text = self.string(name).decode()
        if text.startswith("/") or directory is None:
            return os.path.normpath(text)
        base = plain(re.search(r"<(.*)>", self.arguments[directory])[1]).decode()
        return os.path.normpath(os.path.join(base, text))


def operations(prefix):
    """Of the process's own threads: a child's descriptors are other ones."""
    logs = {}
    for log in glob.glob(prefix + ".*"):
        with open(log, encoding="latin-1") as lines:
            logs[int(log.rsplit(".", 1)[1])] = [Operation(m) for m in map(CALL.match, lines) if m]
    found, threads = [], [min(logs, key=lambda thread: min((o.start for o in logs[thread]), default=float("inf")))]
    for thread in threads:
        for o in logs.get(thread, []):
            if not o.call.startswith("clone"):
                found.append(o)
            elif any("CLONE_THREAD" in argument for argument in o.arguments):
                threads.append(o.result)
    # What a sync covers was written before it began; it is done when it has ended.
    found.sort(key=lambda o: o.end if o.call not in ("fsync", "fdatasync") else o.start)
    return found


class File:
    def __init__(self):
        self.now, self.synced = bytearray(), b""


class Directory:
    def __init__(self):
        self.now, self.synced = {}, {}


class Disk:
    def __init__(self, root):
        self.root, self.top, self.open = root, Directory(), {}

    def beneath(self, path):
        return path == self.root or path.startswith(self.root + "/")

    def walk(self, path):
        node = self.top
        for part in os.path.relpath(path, self.root).split("/"):
            node = node if part == "." else node.now[part]
        return node

    def parent(self, path):
        return self.walk(os.path.dirname(path)), os.path.basename(path)

    def opened(self, o, path, flags):
        self.open.pop(o.result, None)
        if "O_TMPFILE" in flags and self.beneath(path):
            self.open[o.result] = (File(), 0)
        elif self.beneath(path):
            if path != self.root:
                directory, name = self.parent(path)
                if name not in directory.now:
                    directory.now[name] = File()
                node = directory.now[name]
                if "O_TRUNC" in flags:
                    node.now = bytearray()
            else:
                node = self.top
            self.open[o.result] = (node, len(node.now) if "O_APPEND" in flags else 0)

    def write(self, fd, data):
        if fd not in self.open:
            return
        node, at = self.open[fd]
        node.now[at:at + len(data)] = data
        self.open[fd] = (node, at + len(data))

    def move(self, old, new):
        """None for what is outside; a temporary file without a name comes by its descriptor."""
        by_fd = re.match(r"/proc/self/fd/(\d+)$", old)
        if by_fd:
            node = self.open[int(by_fd[1])][0]
        else:
            directory, name = self.parent(old)
            node = directory.now.pop(name)
        directory, name = self.parent(new)
        directory.now[name] = node

    def apply(self, o):
        call = o.call
        if call == "openat":
            self.opened(o, o.path(0, 1), o.arguments[2])
        elif call == "openat2":
            self.opened(o, o.path(0, 1), o.arguments[2])
        elif call == "close":
            self.open.pop(o.fd(0), None)
        elif call == "write":
            self.write(o.fd(0), o.string(1)[:o.result])
        elif call == "lseek" and o.fd(0) in self.open:
            self.open[o.fd(0)] = (self.open[o.fd(0)][0], o.result)
        elif call == "ftruncate" and o.fd(0) in self.open:
            del self.open[o.fd(0)][0].now[int(o.arguments[1]):]
        elif call in ("mkdir", "mkdirat"):
            path = o.path(0, 1) if call == "mkdirat" else o.path(None, 0)
            if self.beneath(path) and path != self.root:
                directory, name = self.parent(path)
                directory.now[name] = Directory()
        elif call in ("rename", "renameat", "renameat2", "linkat"):
            old, new = (o.path(None, 0), o.path(None, 1)) if call == "rename" else (o.path(0, 1), o.path(2, 3))
            if self.beneath(new):
                self.move(old, new)
        elif call in ("unlink", "rmdir", "unlinkat"):
            path = o.path(0, 1) if call == "unlinkat" else o.path(None, 0)
            if self.beneath(path):
                directory, name = self.parent(path)
                directory.now.pop(name)
        elif call in ("fsync", "fdatasync") and o.fd(0) in self.open:
            node = self.open[o.fd(0)][0]
            node.synced = dict(node.now) if isinstance(node, Directory) else bytes(node.now)

    def lay_out(self, path, how, node=None):
        node = node or self.top
        os.mkdir(path, 0o700)
        for name, child in (node.synced if how == "synced" else node.now).items():
            below = os.path.join(path, name)
            if isinstance(child, Directory):
                self.lay_out(below, how, child)
                continue
            with open(os.open(below, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
                out.write(left_of(child, how))


def left_of(file, how):
    tail = len(file.now) - len(file.synced)
    if how == "synced" or tail <= 0:
        return file.synced if how == "synced" else bytes(file.now)
    if not file.now.startswith(file.synced):  # written anew in its place
        return bytes(file.now[:len(file.now) // 2])
    return file.synced + (bytes(tail) if how == "zeros" else bytes(file.now[len(file.synced):][:tail // 2]))


def whole_lines(path):
    try:
        with open(path, "rb") as file:
            return [line for line in file.read().splitlines(keepends=True)
                    if line.endswith(b"\n") and not line.startswith(b"\0")]
    except FileNotFoundError:
        return []


class Trial:
    """One power cut, and what `recover` makes of what is there then."""

    def __init__(self, brownout, place, armed):
        self.brownout, self.place, self.armed = brownout, place, armed

    def run(self, *command):
        return subprocess.run([self.brownout, *command], capture_output=True, text=True, timeout=120)

    def holds(self, archive):
        done = self.run("verify", archive)
        return "" if done.returncode == 0 else f"verify: {done.stdout}{done.stderr}"

    def sealed_before(self):
        archives = glob.glob(os.path.join(self.place, "IEB_*.tar.gz"))
        if not archives:
            return ("nothing", "there is nothing, after the fault was armed" if self.armed else "")
        return ("sealed", self.holds(archives[0]))

    def outcome(self):
        staged = glob.glob(os.path.join(self.place, ".brownout-*"))
        if not staged:
            return self.sealed_before()
        before = {name: whole_lines(os.path.join(staged[0], name)) for name in RECORDS}
        done = self.run("recover", self.place)
        if "before anything was attached" in done.stderr:
            return ("nothing", "refused as if nothing had been attached" if self.armed else "")
        found = re.search(r"^bundle: (.*)$", done.stdout, re.M)
        if done.returncode != 0 or not found:
            return ("lost", f"recover: {done.stdout}{done.stderr}")
        if re.search(r"^verdict: PASS", done.stdout, re.M):
            return ("lost", "a partial bundle is a PASS")
        return ("recovered", self.holds(found[1]) or self.lacking(found[1], before))

    @staticmethod
    def lacking(archive, before):
        with tarfile.open(archive) as bundle:
            top = bundle.getnames()[0].split("/")[0]
            for name, lines in before.items():
                text = b"".join(lines)
                if text and not bundle.extractfile(f"{top}/{name}").read().startswith(text):
                    return f"lines of {name} that had been synced are not in the bundle"
        return ""


def equals_what_was_left(disk, out, place):
    disk.lay_out(place, "all")
    done = subprocess.run(["diff", "-r", out, place], capture_output=True, text=True)
    shutil.rmtree(place)
    return done.stdout


def main():
    prefix, out, work, brownout = sys.argv[1:5]
    every = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    disk, armed, syncs, outcomes, problems = Disk(out), False, 0, Counter(), []
    for o in operations(prefix):
        armed = armed or (o.call == "write" and b"injecting" in o.string(1) and o.fd(0) == 2)
        sync = o.call in ("fsync", "fdatasync") and o.fd(0) in disk.open
        syncs += sync
        if sync and syncs % every == 0:
            for how in ("synced", "torn", "zeros"):
                place = os.path.join(work, "cut")
                disk.lay_out(place, how)
                outcome, problem = Trial(brownout, place, armed).outcome()
                outcomes[outcome] += 1
                if problem:
                    problems.append(f"sync {syncs}, {how}: {problem}")
                    print(problems[-1], file=sys.stderr)
                shutil.rmtree(place)
        disk.apply(o)
    difference = equals_what_was_left(disk, out, os.path.join(work, "replayed"))
    if difference:
        problems.append("the replay is not what was left: " + difference)
        print(problems[-1], file=sys.stderr)
    print(json.dumps({"bench": "power_cut", "syncs": syncs, "one_in": every, "cuts": sum(outcomes.values()),
                      "outcomes": dict(outcomes), "problems": len(problems)}))
    return 1 if problems or not outcomes["recovered"] else 0


sys.exit(main())
