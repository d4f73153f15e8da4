#!/usr/bin/env python3
# on_terminal.py RECORD SUMMARY COMMAND...: runs it with stderr on a terminal, as a person would watch it: who makes the window
# smaller once faults are injected, then holds the output for a while (^S, ^Q). What came is in RECORD, what became of the view
# in SUMMARY (JSON). Ends as the command does.
import fcntl
import json
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time

HELD_FOR = 5.0
NARROW = 60


def resize(terminal, columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Watcher:
    def __init__(self, terminal, record):
        self.terminal, self.record = terminal, record
        self.seen = bytearray()
        self.resized_at = None  # byte of `seen`
        self.while_held = 0

    def read_until(self, end):
        """Everything until then, or until the terminal closes: False."""
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.terminal], [], [], min(left, 0.1))[0]:
                continue
            try:
                got = os.read(self.terminal, 65536)
            except OSError:
                return False
            self.record.write(got)
            self.seen += got
        return True

    def watch(self):
        while b" injecting " not in self.seen:
            if not self.read_until(time.monotonic() + 0.1):
                return
        resize(self.terminal, NARROW, 12)
        self.read_until(time.monotonic() + 1)  # what was under way
        self.resized_at = len(self.seen)
        self.read_until(time.monotonic() + 1)
        os.write(self.terminal, b"\x13")
        self.read_until(time.monotonic() + 0.5)
        before = len(self.seen)
        self.read_until(time.monotonic() + HELD_FOR)
        self.while_held = len(self.seen) - before
        os.write(self.terminal, b"\x11")
        while self.read_until(time.monotonic() + 1):
            pass

    def summary(self):
        text = self.seen.decode(errors="replace")
        painted = re.findall(r"^(.*)\x1b\[K\r?$", self.seen[self.resized_at or 0 :].decode(errors="replace"), re.M)
        bare = [re.sub(r"\x1b\[[?0-9;]*[A-Za-z]|\r", "", line) for line in painted]
        return {
            "painted": text.count("\x1b[?25l"),
            "cursor_shown": text.count("\x1b[?25l") == text.count("\x1b[?25h"),
            "coloured": "\x1b[1m" in text,
            "bytes_while_held": self.while_held,
            "lines_after_resize": len(bare),
            "widest_after_resize": max(map(len, bare), default=0),
        }


def main():
    record, summary, *command = sys.argv[1:]
    terminal, other_end = os.openpty()
    resize(terminal, 100, 30)
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=other_end, env=environment)
    os.close(other_end)
    with open(record, "wb") as file:
        watcher = Watcher(terminal, file)
        watcher.watch()
    with open(summary, "w", encoding="utf-8") as file:
        json.dump(watcher.summary(), file)
    return process.wait()


sys.exit(main())
