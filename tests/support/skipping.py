# SPDX-License-Identifier: MIT
"""A test that cannot be run says why. On Debian scripts/test installs all that tests need: that it is missing is a failure."""
import sys


def on_debian():
    with open("/etc/os-release", encoding="utf-8") as release:
        return "ID=debian" in release.read().split()


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(1 if on_debian() else 77)
