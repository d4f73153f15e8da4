#!/usr/bin/python3
"""`brownout doctor` says of this kernel what is known of it, in both of its forms."""

import fnmatch
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

RUNTIMES = {"docker", "podman", "containerd", "runc", "crun", "lxc", "nspawn"}
failures = 0


def expect(what, wanted, got):
    global failures
    if wanted == got:
        print(f"ok    {what}")
    else:
        failures += 1
        print(f"FAIL  {what}: wanted {wanted}, got {got}")


def doctor(*arguments):
    return subprocess.run([os.environ["BROWNOUT"], "doctor", *arguments], capture_output=True, text=True, check=False)


def main():
    release = os.uname().release
    known = [one for one in yaml.safe_load((Path(__file__).parent / "doctor.yaml").read_text())
             if fnmatch.fnmatch(release, one["release"])]
    if not known:
        print(f"SKIP: kernel_unknown: nobody has written down what {release} can do (tests/cli/doctor.yaml)")
        sys.exit(77)
    run = doctor("--json")
    expect("exit code", 0, run.returncode)
    said = json.loads(run.stdout)
    of_kernel = [one for one in said["capabilities"] if one["name"] not in RUNTIMES]
    expect("runtimes", RUNTIMES, {one["name"] for one in said["capabilities"]} & RUNTIMES)
    expect("there", sorted(known[0]["capabilities"]), sorted(one["name"] for one in of_kernel if one["present"]))
    expect("missing", sorted(known[0]["missing"]), sorted(one["name"] for one in of_kernel if not one["present"]))
    expect("what is lost is said", [], [one["name"] for one in said["capabilities"] if not one["present"] and not one["lost"]])
    expect("hook", known[0]["hook"], said["means"]["hook"])
    expect("backend", known[0]["chosen"], said["means"]["backend"])
    expect("ready", True, said["ready"])
    text = doctor()
    expect("exit code of the text", 0, text.returncode)
    expect("every capability is in the text", [], [one["name"] for one in said["capabilities"] if one["name"] not in text.stdout])
    expect("the text names hook and backend", True,
           f"hooks:   {known[0]['hook']}" in text.stdout and f"latency: {known[0]['chosen']}" in text.stdout)
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
