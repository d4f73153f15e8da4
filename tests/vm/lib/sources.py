#!/usr/bin/python3
"""Prints package sources for the Debian suites given, made from those of this machine: where packages come from, and
by which keys they are trusted, is the machine's business; only the suite is replaced.

BROWNOUT_VM_SOURCES names a file or a folder to use instead of /etc/apt, for a machine that is not Debian.
"""

import os
import re
import sys
from pathlib import Path

RELEASES = ("bullseye", "bookworm", "trixie", "forky", "sid")


def source_files():
    given = os.environ.get("BROWNOUT_VM_SOURCES")
    if given:
        path = Path(given)
        return sorted(path.iterdir()) if path.is_dir() else [path]
    apt = Path("/etc/apt")
    return [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]


def deb822_entries(text):
    """Each stanza as a dictionary; comments may stand between the fields."""
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = dict(re.findall(r"(?m)^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", "\n".join(lines)))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            yield fields.get("URIs", "").split(), fields.get("Suites", "").split(), fields.get("Signed-By")


def one_line_entries(text):
    for options, uri, suite in re.findall(r"(?m)^[ \t]*deb[ \t]+(?:\[(.*?)\][ \t]+)?(\S+)[ \t]+(\S+)", text):
        signed_by = re.search(r"signed-by=(\S+)", options)
        yield [uri], [suite], signed_by and signed_by[1]


def archive_of(suite):
    """`security` and the main archive live at addresses of their own; backports and updates share the main one's."""
    release, _, rest = suite.partition("-")
    return rest if release in RELEASES and rest == "security" else "main" if release in RELEASES else None


def machine_archives():
    archives = {}
    for path in source_files():
        entries = {".sources": deb822_entries, ".list": one_line_entries}.get(path.suffix)
        if not entries or not path.is_file():
            continue
        for uris, suites, signed_by in entries(path.read_text()):
            for suite in suites:
                archives.setdefault(archive_of(suite), (uris, signed_by))
    return archives


def main():
    archives = machine_archives()
    printed = 0
    for suite in sys.argv[1:]:
        uris, signed_by = archives.get(archive_of(suite), ([], None))
        if not uris:
            continue
        print("Types: deb", f"URIs: {' '.join(uris)}", f"Suites: {suite}", "Components: main", sep="\n")
        print(f"Signed-By: {signed_by}\n" if signed_by else "")
        printed += 1
    if not printed:
        sys.exit("this machine has no package source of Debian; name one by BROWNOUT_VM_SOURCES")


if __name__ == "__main__":
    main()
