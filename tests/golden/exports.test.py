#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`brownout export` of the recorded cases, read by readers that are not ours. No verdict but PASS may look like one."""
import csv
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from skipping import skip  # noqa: E402

CASES = ROOT / "tests/golden/cases"
FORMATS = ["junit", "chaostoolkit", "in-toto", "openmetrics", "csv"]
failures = []

try:
    import jsonschema
    from junitparser import Error, Failure, JUnitXml
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError as missing:
    skip(f"python3 module {missing.name} is not installed")

BROWNOUT = os.environ.get("BROWNOUT")
if not BROWNOUT or not os.access(BROWNOUT, os.X_OK):
    skip("BROWNOUT does not name the built program")


def expect(what, holds):
    if not holds:
        failures.append(what)


def export(name, evidence, *more):
    done = subprocess.run([BROWNOUT, "export", name, evidence, *more], capture_output=True, text=True, timeout=60, check=False)
    expect(f"export {name} of {evidence}: exit {done.returncode}: {done.stderr}", done.returncode == 0)
    return done.stdout


def validator(name):
    schema = json.loads((ROOT / "tests/support" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def check_junit(case, text, verdict):
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(text)
        file.flush()
        xml = JUnitXml.fromfile(file.name)
    suites = list(xml)
    expect(f"{case}: one suite", len(suites) == 1)
    suite, outcome = suites[0], verdict["verdict"]
    found = {one.name: one for one in suite}
    expect(f"{case}: a case for each check and the verdict", len(list(suite)) == len(verdict["checks"]) + 1)
    expect(f"{case}: nothing is skipped", suite.skipped == 0)
    properties = {one.name: one.value for one in suite.properties()}
    expect(f"{case}: the verdict is a property", properties["verdict"] == outcome)
    expect(f"{case}: the note", properties.get("note", "").startswith(outcome) == (outcome in ("NOT_MEASURABLE", "ERROR")))
    kind = {"PASS": None, "FAIL": Failure, "NOT_MEASURABLE": Error, "ERROR": Error}
    word = {"pass": None, "fail": Failure, "inconclusive": Error, "error": Error}
    wanted = {"verdict": kind[outcome], **{check["name"]: word[check["outcome"]] for check in verdict["checks"]}}
    for name, sort in wanted.items():
        results = found[name].result
        expect(f"{case}: {name}: {results}", [type(one) for one in results] == ([sort] if sort else []))
    for check in verdict["checks"]:
        if check["outcome"] == "inconclusive":
            result = found[check["name"]].result[0]
            expect(f"{case}: {check['name']} says so itself", result.type == "NOT_MEASURABLE" and check["reason"] in result.message)
    count = [sum(isinstance(result, sort) for one in suite for result in one.result) for sort in (Failure, Error)]
    expect(f"{case}: the counts", [suite.failures, suite.errors] == count and suite.tests == len(found))
    expect(f"{case}: no trouble is a pass", (count == [0, 0]) == (outcome == "PASS"))


def check_chaos_toolkit(case, text, verdict):
    journal, outcome = json.loads(text), verdict["verdict"]
    for error in validator("chaos_toolkit_journal.schema.json").iter_errors(journal):
        expect(f"{case}: journal: {error.json_path}: {error.message[:200]}", False)
    passed = journal["status"] == "completed" and not journal["deviated"] and journal["steady_states"]["after"]["steady_state_met"]
    expect(f"{case}: journal: only PASS is one", passed == (outcome == "PASS"))
    status = {"PASS": "completed", "FAIL": "completed", "NOT_MEASURABLE": "failed", "ERROR": "aborted"}
    expect(f"{case}: journal: status", journal["status"] == status[outcome])
    expect(f"{case}: journal: deviated", journal["deviated"] == (outcome != "PASS"))
    extension = journal["experiment"]["extensions"][0]
    expect(f"{case}: journal: the verdict itself", extension["verdict"] == outcome)
    outputs = {run["activity"]["name"]: run["output"] for run in journal["steady_states"]["after"]["probes"]}
    expect(f"{case}: journal: the probes", outputs == {check["name"]: check["outcome"] for check in verdict["checks"]})


def check_in_toto(case, text, verdict):
    statement, outcome = json.loads(text), verdict["verdict"]
    for error in validator("in_toto_test_result.schema.json").iter_errors(statement):
        expect(f"{case}: in-toto: {error.json_path}: {error.message[:200]}", False)
    predicate = statement["predicate"]
    expect(f"{case}: in-toto: result", predicate["result"] == ("PASSED" if outcome == "PASS" else "FAILED"))
    notes = [one["annotations"] for one in predicate["configuration"]]
    expect(f"{case}: in-toto: the verdict itself", all(note["brownout.verdict"] == outcome for note in notes))
    for names, outcomes in (("passedTests", ["pass"]), ("warnedTests", ["inconclusive"]), ("failedTests", ["fail", "error"])):
        wanted = [check["name"] for check in verdict["checks"] if check["outcome"] in outcomes]
        expect(f"{case}: in-toto: {names}", predicate[names] == wanted)


def check_open_metrics(case, text, verdict):
    families = {family.name: family for family in text_string_to_metric_families(text)}
    set_states = {s.labels["brownout_verdict"] for s in families["brownout_verdict"].samples if s.value == 1}
    expect(f"{case}: openmetrics: {set_states}", set_states == {verdict["verdict"]})
    checks = {s.labels["check"]: s.labels["brownout_check"] for s in families["brownout_check"].samples if s.value == 1}
    expect(f"{case}: openmetrics: checks", checks == {check["name"]: check["outcome"] for check in verdict["checks"]})
    for family in families.values():
        expect(f"{case}: openmetrics: {family.name} has no help", bool(family.documentation))
        expect(f"{case}: openmetrics: unit of {family.name}", not family.unit or family.name.endswith(family.unit))


def check_csv(case, text, verdict):
    rows = list(csv.DictReader(io.StringIO(text), strict=True))
    lines = (CASES / case / "kernel/counters.jsonl").read_text().splitlines()
    expect(f"{case}: csv: a row for each sample", len(rows) == len(lines))
    expect(f"{case}: csv: no cell too many or too few", all(None not in row and None not in row.values() for row in rows))
    expect(f"{case}: csv: the verdict", {row["verdict"] for row in rows} == {verdict["verdict"]})
    times = [int(row["t_mono_ns"]) for row in rows]
    expect(f"{case}: csv: in order", times == sorted(times))
    total = json.loads(lines[-1])["trace"]["calls_started"][1]
    expect(f"{case}: csv: the calls add up", sum(int(row["calls_started"]) for row in rows) == total)


def main():
    checks = dict(zip(FORMATS, (check_junit, check_chaos_toolkit, check_in_toto, check_open_metrics, check_csv)))
    seen = set()
    for case in sorted(path.name for path in CASES.iterdir()):
        verdict = json.loads((CASES / case / "verdict.json").read_text())
        seen.add(verdict["verdict"])
        for name in FORMATS:
            text = export(name, CASES / case)
            expect(f"{case}: {name}: twice the same", text == export(name, CASES / case))
            try:
                checks[name](case, text, verdict)
            except Exception as error:  # a reader that takes offence is a failure of ours
                failures.append(f"{case}: {name}: {type(error).__name__}: {error}")
    expect(f"cases of every verdict, not only {seen}", seen == {"PASS", "FAIL", "NOT_MEASURABLE", "ERROR"})
    with tempfile.TemporaryDirectory() as work:
        out = pathlib.Path(work) / "out.xml"
        export("junit", CASES / "blind", "--out", out)
        expect("--out writes the file", out.read_text() == export("junit", CASES / "blind"))
    for failure in failures:
        print(f"FAIL: {failure}")
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
