#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""docs/schemas against recorded cases and a sealed bundle; and each schema refuses what is not as it should be."""
import copy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import bundle_schemas  # noqa: E402
from skipping import skip  # noqa: E402

CASES = bundle_schemas.ROOT / "tests/golden/cases"
# Where names are others': a key more or less says nothing. [] is any element of a list.
OPEN = {
    "manifest.json": {"labels", "target.labels", "audit", "app_stop", "chain.uncovered_bytes"},
    "timeline.jsonl": {"manifest", "target.labels", "facts"},
    "plan.json": {"app.require", "labels"},
    "kernel/counters.jsonl": {"snmp", "snmp_before", "drop_witness"},
    "fingerprint/snapshots.jsonl": {"counters", "new_errors.[].error"},
}
# What may be left out.
OPTIONAL = {
    "manifest.json": {"operator.login_uid", "operator.env_SUDO_USER", "operator.env_SUDO_UID", "host.boot_id",
                      "stop.detail", "run_dir_copies_dropped", "report_language", "kernel_objects.injector", "kernel_objects.programs",
                      "kernel_objects.not_observed", "kernel_objects.injector.qdiscs_as_before", "windows.baseline", "windows.inject", "windows.recovery",
                      "windows.settle", "run_log", "timestamp"},
    "kernel/events.jsonl": {"rcode"},
    "run_dir_copy.json": {"files.[].original_sha256", "files.[].redacted", "files.[].redacted.secret"},
    "redactions.json": {"total.pattern_01", "files.[].redacted.pattern_01"},
    "kernel/counters.jsonl": {"drop_witness"},
    "fingerprint/snapshots.jsonl": {"problem", "body"},
}
# Of which no word beyond the known ones is taken.
WORDS = {
    "manifest.json": {"report_language", "ending.ending", "kernel_objects.injector.means.hook"},
    "verdict.json": {"verdict", "scope", "completeness", "checks.[].sort", "checks.[].outcome", "checks.[].reason"},
    "plan.json": {"scope", "backend", "faults.[].kind", "faults.[].directions.[]", "gates.[].kind",
                  "faults.[].jitter.distribution"},
    "timeline.jsonl": {"kind", "phase", "edge", "ending", "when"},
    "time_series.jsonl": {"phase"},
    "redactions.json": {"rules.[].rule"},
    "kernel/events.jsonl": {"kind", "certainty", "phase", "transport", "flags.[]", "old_state", "new_state"},
    "kernel/counters.jsonl": {"phase", "histogram.[].[]"},
    "kernel/latency.jsonl": {"phase"},
    "kernel/packets.jsonl": {"direction", "verdict"},
    "kernel/names.jsonl": {"source"},
    "fingerprint/snapshots.jsonl": {"status"},
}
MANIFEST = {
    "run_id": "", "drill": "demo", "labels": {"ticket": "OPS-1"},
    "tool": {"name": "brownout", "version": "0", "commit": "c", "dirty": False, "binary_sha256": None},
    "operator": {"uid": 0, "user": "root", "login_uid": "4294967295"},
    "host": {"hostname": "host", "kernel_release": "6.12", "kernel_version": "#1", "machine": "x86_64",
             "boot_id": "e976a490-0505-4fa5-b647-087e1dfaaf84"},
    "command_line": ["brownout", "run", "drill.yaml", "--lang", "zh"], "report_language": "zh",
    "interface": {"host_name": "veth0", "host_ifindex": 7, "container_name": "eth0", "container_ifindex": 2},
    "kernel_objects": {
        "injector": {
            "means": {"hook": "tcx", "hook_reason": "tcx links are there"}, "interface": "veth0", "ifindex": 7, "hooks": ["egress"],
            "drop": {"from_container": "drop", "to_container": "redirect to no device"}, "heartbeat_limit_ns": 1000000000,
            "max_duration_ns": 25000000000, "qdiscs_before": [], "qdiscs_as_before": True, "other_programs": [],
        },
        "programs": [{"id": 1, "name": "from_container", "tag": "832ee719e5684817", "type": "sched_cls", "recursion_misses": 0}],
        "not_observed": [],
    },
}
NAME = {"t_mono_ns": 1, "source": "dns", "name": "REDACTED_pattern_01.example", "address": "10.0.0.1", "port": None, "cookie": 1, "ttl_s": 60}


DIGEST = "0" * 64
# As the recorder spells it.
RUN_LOG = {"t_mono_ns": 1, "kind": "run_log", "path": "/var/lib/brownout/runs.jsonl", "run": {
    "append_only": True, "line_sha256": DIGEST, "log": DIGEST, "number": 2, "of_host": 3, "owner_uid": 0, "previous": {
        "ended": {"archive": "IEB_a.tar.gz", "archive_sha256": DIGEST, "run_id": "run_1", "unsealed": None, "utc": "2025-12-23T01:57:49Z",
                  "verdict": "PASS"},
        "line_sha256": DIGEST, "number": 1, "plan_sha256": DIGEST, "started_utc": "2025-12-23T01:50:49Z"},
    "problems": ["line 2 is torn or damaged"], "target": "docker demo"}, "unavailable": None}
LISTED = {"files": [{"path": "a", "kind": "file", "size": 1, "inode": 2, "mtime_ns": 3, "sha256": DIGEST}], "problem": None}
# Of what this bundle does not have.
EXAMPLES = {
    "run_dir_copy.json": [{"files": [{"path": "a", "size": 1, "sha256": DIGEST, "original_sha256": "1" * 64, "redacted": {"secret": 1}}],
                           "left_out": [{"path": "b", "why": "w", "size": 1}]}],
    "chain.jsonl": [
        {"segment": 0, "t_mono_ns": 1, "previous": "", "rules": {"drill_sha256": DIGEST, "plan_sha256": DIGEST, "tool_sha256": DIGEST}},
        {"segment": 1, "t_mono_ns": 2, "previous": DIGEST, "files": [{"file": "timeline.jsonl", "from": 0, "to": 9, "sha256": DIGEST}]}],
    "attestation.dsse.json": [{"payloadType": "application/vnd.in-toto+json", "payload": "e30=",
                               "signatures": [{"keyid": DIGEST, "sig": "e30="}]}],
    "actions.jsonl": [{"t_mono_ns": 1, "utc": "2025-12-23T01:57:49.000000000Z", "what": "attach faults", "object": "veth0", "result": "ok",
                       "evidence_refs": [{"file": "timeline.jsonl", "line_start": 1, "line_end": 1, "sha256_16": "0" * 16}]}],
    "shards.json": [{"indexes": [{"index": "m_raw_index.json", "index_sha256": DIGEST, "shards": 2, "verified": 1,
                                  "mismatches": [{"shard": "m_raw_part_0001.json", "problem": "it is not there"}], "mismatches_count": 1}]}],
    "kernel/packets.jsonl": [{"t_mono_ns": 1, "direction": "egress", "verdict": "dropped", "faults": [0], "number": None, "drawn_ns": 0,
                              "delay_ns": 0, "length": 1514, "segments": 1, "headers": "0202"}],
    "host_files.json": [{"run_directory": "/runs/run_1",
                         "places": [{"path": "/runs", "role": "run_dir_parent", "before": LISTED, "after": LISTED}]}],
    **{f"host/{when}/commands.json": [[{"file": "ss.txt", "command": "ss -tinoe", "exit_code": 0, "problem": None, "t_mono_ns": 1,
                                        "duration_ns": 2}]] for when in ("before", "during", "after")},
    **{f"host/{when}/container_changes.json": [{"changes": None, "problem": "runc tells none"}] for when in ("before", "after")},
}


def steps(document, path=()):
    """Every place of a document: (container, key, path as in the tables above)."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield document, key, ".".join((*path, key))
            yield from steps(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield document, index, ".".join((*path, "[]"))
            yield from steps(value, (*path, "[]"))


def is_open(file, path):
    return any(path == place or path.startswith(place + ".") for place in OPEN.get(file, ()))


def changed(document, number, change):
    """A copy with `change` made at the place of that number."""
    other = copy.deepcopy(document)
    container, key, _ = list(steps(other))[number]
    change(container, key)
    return other


def mutations(file, document):
    """(what was done, document): none of these may be taken."""
    if isinstance(document, dict):
        yield "a key too many", {**document, "surplus": 1}
    for number, (container, key, path) in enumerate(steps(document)):
        value = container[key]
        if isinstance(value, dict) and not is_open(file, path):
            yield f"{path}: a key too many", changed(document, number, lambda c, k: c[k].update(surplus=1))
        if is_open(file, path):
            continue
        if isinstance(container, dict) and path not in OPTIONAL.get(file, ()):
            yield f"{path}: left out", changed(document, number, lambda c, k: c.pop(k))
        if isinstance(value, int):
            yield f"{path}: text for a number", changed(document, number, lambda c, k: c.__setitem__(k, "7x"))
        if isinstance(value, str) and path in WORDS.get(file, ()):
            yield f"{path}: a word of no list", changed(document, number, lambda c, k: c.__setitem__(k, "no_such_word"))


def shapes(file, directory):
    """One document of each shape: of a timeline one of each kind."""
    found = {}
    for _, document in bundle_schemas.documents(directory / file):
        found.setdefault((document.get("kind"), tuple(document), bool(document.get("new_errors"))), document)
    return found.values()


def sealed(work):
    """A bundle that brownout seals, of evidence with a torn line."""
    brownout = os.environ.get("BROWNOUT")
    if not brownout or not os.access(brownout, os.X_OK):
        skip("BROWNOUT does not name the built program")
    evidence = work / "evidence"
    shutil.copytree(CASES / "recorded", evidence)
    evidence.chmod(0o700)
    target = bundle_schemas.documents(evidence / "timeline.jsonl")[0][1]["target"]
    (evidence / "manifest.json").write_text(json.dumps({**MANIFEST, "target": target, "drill_sha256": drill_sha256(evidence)}))
    with (evidence / "kernel/events.jsonl").open("a") as events:
        events.write('{"sequence":')
    with (evidence / "timeline.jsonl").open("a") as timeline:
        timeline.write(json.dumps(RUN_LOG, separators=(",", ":")) + "\n")
    (evidence / "kernel/names.jsonl").write_text(json.dumps(NAME, separators=(",", ":")) + "\n")
    subprocess.run([brownout, "recover", evidence, "--out", work, "--run-log", work / "none"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    bundle = next(work.glob("IEB_*.tar.gz"))
    subprocess.run([brownout, "verify", bundle], check=True, stdout=subprocess.DEVNULL, timeout=60)
    return bundle_schemas.open_bundle(bundle, work / "open")


def documents_of(file, bundle):
    documents = EXAMPLES.get(file) or list(shapes(file, bundle))
    if file == "manifest.json":
        for failed in (None, "curl: no route to host"):
            documents.append({**documents[0], "timestamp": {"url": "http://tsa.example/", "failed": failed}})
    return documents


def drill_sha256(evidence):
    import hashlib
    return hashlib.sha256((evidence / "drill.yaml").read_bytes()).hexdigest()


def main():
    validator_of = bundle_schemas.validators()
    failures, tried = [], dict.fromkeys(bundle_schemas.FILES, 0)
    for case in sorted(CASES.iterdir()):
        failures += [f"{case.name}: {problem}" for problem in bundle_schemas.problems_of(case, validator_of)]
    with tempfile.TemporaryDirectory() as name:
        bundle = sealed(pathlib.Path(name))
        failures += bundle_schemas.problems_of_bundle(bundle, validator_of)
        for file, validator in validator_of.items():
            for document in documents_of(file, bundle):
                if not validator.is_valid(document):
                    failures.append(f"{file}: {document} is refused")
                for what, other in mutations(file, document):
                    tried[file] += 1
                    if validator.is_valid(other):
                        failures.append(f"{file}: taken all the same: {what}")
    failures += [f"{file}: nothing tried" for file, times in tried.items() if times < 3]
    for failure in failures:
        print(f"FAIL: {failure}")
    print(f"{sum(tried.values())} changed documents, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
