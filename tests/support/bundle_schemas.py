#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds the JSON and JSONL files of bundles against the schemas that they carry, with a validator that is not ours.

    bundle_schemas.py IEB_*.tar.gz
"""
import json
import pathlib
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from skipping import skip  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "docs/schemas"
# Every JSON and JSONL file of a bundle, and its schema.
FILES = {
    "manifest.json": "manifest",
    "verdict.json": "verdict",
    "plan.json": "plan",
    "timeline.jsonl": "timeline",
    "time_series.jsonl": "time_series",
    "run_files.json": "run_files",
    "run_dir_copy.json": "run_dir_copy",
    "redactions.json": "redactions",
    "chain.jsonl": "chain",
    "attestation.dsse.json": "attestation",
    "actions.jsonl": "actions",
    "shards.json": "shards",
    "host_files.json": "host_files",
    **{f"host/{when}/commands.json": "host_commands" for when in ("before", "during", "after")},
    **{f"host/{when}/container_changes.json": "container_changes" for when in ("before", "after")},
    "kernel/events.jsonl": "events",
    "kernel/counters.jsonl": "counters",
    "kernel/names.jsonl": "names",
    "kernel/latency.jsonl": "latency",
    "kernel/packets.jsonl": "packets",
    "fingerprint/snapshots.jsonl": "snapshots",
}
NOT_ALWAYS = {"run_files.json", "run_dir_copy.json", "attestation.dsse.json", "shards.json", "host_files.json", "kernel/packets.jsonl"}


def schema(name):
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def validators():
    """By file of the bundle. Skips where the validator is not installed."""
    try:
        import jsonschema
    except ImportError:
        skip("python3 module jsonschema is not installed")
    for name in FILES.values():
        jsonschema.Draft202012Validator.check_schema(schema(name))
    return {file: jsonschema.Draft202012Validator(schema(name)) for file, name in FILES.items()}


def documents(path):
    """(line, document) of a JSON or JSONL file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return [(1, json.loads(text))]
    return [(number, json.loads(line)) for number, line in enumerate(text.split("\n"), 1) if line]


def problems_of(directory, validator_of):
    """What the schemas refuse in the files that are there."""
    for file, validator in validator_of.items():
        if not (directory / file).exists():
            continue
        for number, document in documents(directory / file):
            for error in validator.iter_errors(document):
                yield f"{file}:{number}: {error.json_path}: {error.message[:300]}"


def problems_of_bundle(directory, validator_of):
    yield from problems_of(directory, validator_of)
    for file in FILES.keys() - NOT_ALWAYS:
        if not file.startswith("host/") and not (directory / file).exists():
            yield f"{file} is missing"
    kept = {path.name: path.read_bytes() for path in (directory / "schema").iterdir()}
    if kept != {path.name: path.read_bytes() for path in SCHEMAS.iterdir()}:
        yield "schema/ is not docs/schemas"
    for path in directory.rglob("*.json*"):
        file = str(path.relative_to(directory))
        if file not in FILES and not file.startswith(("schema/", "run_dir/")):
            yield f"{file} has no schema"


def open_bundle(archive, into):
    with tarfile.open(archive) as tar:
        tar.extractall(into)  # ours: `brownout verify` is what refuses hostile ones
    return next(pathlib.Path(into).iterdir())


def main():
    validator_of = validators()
    with tempfile.TemporaryDirectory() as work:
        problems = list(problems_of_bundle(open_bundle(sys.argv[1], work), validator_of))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
