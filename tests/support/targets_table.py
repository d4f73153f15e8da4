#!/usr/bin/python3
"""The matrix of tests/container/targets.test.sh as a table, held against the one in docs/targets.md.

    targets_table.py ROWS DOCUMENT

A line of ROWS: name, target, five cells, words; parted by tabs. BROWNOUT_RENEW=targets writes the table instead.
"""
import difflib
import os
import sys
from pathlib import Path

BEGIN = "<!-- matrix: tests/container/targets.test.sh -->\n"
END = "<!-- end -->\n"
HEAD = ["", "`target`", "resolve", "loss", "latency", "trace", "undo", "runs as"]


def rendered(rows):
    lines = [HEAD, ["---"] * len(HEAD)]
    for row in rows.read_text(encoding="utf-8").splitlines():
        name, target, *rest = row.split("\t")
        lines.append([name, f"`{target}`" if target else "", *rest])
    if wrong := [line for line in lines if len(line) != len(HEAD)]:
        sys.exit(f"not a row: {wrong[0]}")
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main():
    rows, document = map(Path, sys.argv[1:])
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    written, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{document}: no block for the matrix")
    table = rendered(rows)
    if os.environ.get("BROWNOUT_RENEW") == "targets":
        document.write_text(before + begin + table + end + after, encoding="utf-8")
    elif written != table:
        sys.stdout.writelines(difflib.unified_diff(written.splitlines(True), table.splitlines(True), "written", "measured"))
        sys.exit(1)


if __name__ == "__main__":
    main()
