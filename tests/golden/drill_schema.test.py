#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds docs/drill.schema.json against the parser (`brownout check`) over tests/golden/drills.

Good drills are valid in both. Bad drills are refused by the parser; their first line says whether the schema, too,
`refuses` them or, where it takes arithmetic or the raw text, `accepts` them: both claims are held.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from skipping import skip  # noqa: E402

DRILLS = ROOT / "tests/golden/drills"
INVALID = 2  # exit code of an invalid drill


try:
    import jsonschema
    import yaml
except ImportError as missing:
    skip(f"python3 module {missing.name} is not installed")


def schema_problem(validator, path):
    """None, or why the schema (or the YAML reader) refuses the file."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return f"not readable: {type(error).__name__}"
    error = next(validator.iter_errors(document), None)
    return error and error.message


def parser_result(brownout, path):
    done = subprocess.run([brownout, "check", path], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def check_good(validator, brownout, path):
    problem = schema_problem(validator, path)
    if problem:
        yield f"the schema refuses it: {problem}"
    code, stderr = parser_result(brownout, path)
    if code != 0:
        yield f"the parser refuses it with exit code {code}: {stderr}"


def check_bad(validator, brownout, path):
    claim = re.match(r"# schema: (refuses|accepts)\.", path.read_bytes().split(b"\n")[0].decode())
    if not claim:
        yield "its first line does not say `# schema: refuses.` or `# schema: accepts.`"
        return
    problem = schema_problem(validator, path)
    if (problem is not None) != (claim[1] == "refuses"):
        yield f"the schema should have said: {claim[1]}; it says: {problem or 'valid'}"
    code, stderr = parser_result(brownout, path)
    if code != INVALID:
        yield f"the parser's exit code is {code}, not {INVALID}"
    elif f"{path.name}:" not in stderr:
        yield f"the parser's message does not name the file: {stderr!r}"


def main():
    brownout = os.environ.get("BROWNOUT")
    if not brownout or not os.access(brownout, os.X_OK):
        skip("BROWNOUT does not name the built program")
    schema = json.loads((ROOT / "docs/drill.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = checked = 0
    for folder, check in ((DRILLS / "good", check_good), (ROOT / "examples", check_good), (DRILLS / "bad", check_bad)):
        files = sorted(folder.glob("*.yaml"))
        if not files:
            print(f"FAIL: no drills in {folder}")
            failures += 1
        for path in files:
            checked += 1
            for problem in check(validator, brownout, path):
                print(f"FAIL: {path.relative_to(ROOT)}: {problem}")
                failures += 1
    print(f"{checked} drills, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
