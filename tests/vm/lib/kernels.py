#!/usr/bin/python3
"""Reads tests/vm/kernels.yaml for the shell: `kernels.py` lists the kernels, `kernels.py KERNEL KEY` prints a value,
`kernels.py KERNEL --json` all of them."""

import json
import sys
from pathlib import Path

import yaml


def main():
    kernels = yaml.safe_load((Path(__file__).parent.parent / "kernels.yaml").read_text())["kernels"]
    if len(sys.argv) == 1:
        print(*kernels, sep="\n")
        return
    name, key = sys.argv[1:]
    if name not in kernels:
        sys.exit(f"no kernel '{name}' in tests/vm/kernels.yaml; it has {', '.join(kernels)}")
    if key == "--json":
        print(json.dumps(kernels[name]))
        return
    value = kernels[name].get(key, [])
    if isinstance(value, bool):
        value = "yes" if value else "no"
    print(*(value if isinstance(value, list) else [value]), sep="\n")


if __name__ == "__main__":
    main()
