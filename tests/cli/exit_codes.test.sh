#!/usr/bin/env bash
# Exit codes and messages of the command line, with nothing attached.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../support/check.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() { "$BROWNOUT" "$@" >"$work/out" 2>"$work/err" </dev/null; status=$?; }
said() { grep -qF -- "$1" "$work/$2"; }

run --version
expect_status "--version" 0 "$status"
expect "--version names the tool" said "brownout 0." out

run
expect_status "no command" 2 "$status"
run frobnicate
expect_status "unknown command" 2 "$status"
run run
expect_status "run without a drill" 2 "$status"

run run "$work/missing.yaml" --yes
expect_status "a drill that is not there" 2 "$status"
expect "the message names the file" said "$work/missing.yaml" err
expect "nothing on stdout" test ! -s "$work/out"
"$BROWNOUT" run "$work/missing.yaml" --yes >/dev/null 2>/dev/full
expect_status "with nobody who could read the message" 2 $?

"$BROWNOUT" ps >/dev/full 2>"$work/err"
expect_status "with nowhere to put the result" 4 $?
expect "which it says" said "write the result to stdout: No space left on device" err
expect "whoever leaves early wanted no more" bash -o pipefail -c '"$BROWNOUT" ps | true'

cat >"$work/drill.yaml" <<YAML
brownout: 1
name: NOBODY
target: {pid: $$}
faults:
  - latency: {delay: 10ms}
    match: all
YAML
run check "$work/drill.yaml"
expect_status "check of a valid drill" 0 "$status"
expect "check prints the plan as JSON" jq -e .faults "$work/out"

sed 's/pid: .*}/container: no-such-container-here}/' "$work/drill.yaml" >"$work/nobody.yaml"
run run "$work/nobody.yaml" --yes
expect_status "a container that nobody knows" 2 "$status"
expect "the message names the container" said "no-such-container-here" err

run verify "$work/missing.tar.gz"
expect "verify of a missing bundle fails" test "$status" -ne 0
printf 'this is no archive' >"$work/bad.tar.gz"
run verify "$work/bad.tar.gz"
expect "verify of garbage fails" test "$status" -ne 0

run judge "$work/missing.tar.gz"
expect_status "judge of a missing bundle" 2 "$status"
run judge "$work/bad.tar.gz"
expect "judge of garbage fails, and says what it is" said "$work/bad.tar.gz" err
expect_status "judge of garbage" 4 "$status"
run export junit "$work/bad.tar.gz"
expect_status "export of garbage" 4 "$status"
run export yaml "$work/bad.tar.gz"
expect_status "export to a format that nobody writes" 2 "$status"
expect "the message names those that there are" said "junit, chaostoolkit, in-toto, openmetrics, csv" err
run explain "$work/bad.tar.gz" telemetry
expect_status "explain of garbage" 4 "$status"


evidence=$here/../golden/cases/blind
run report "$evidence" --markdown --lang zh --out -
expect_status "report --markdown --lang zh" 0 "$status"
expect "its headings are in both languages" said "## What happened / 发生了什么" out
cp "$work/out" "$work/out.zh"
LC_ALL=C run report "$evidence" --markdown --lang zh --out "$work/c.md"
expect "and the same in the C locale" cmp "$work/out.zh" "$work/c.md"
run report "$evidence" --markdown --out -
expect "English where nothing else was recorded" grep -qx '## What happened' "$work/out"
run report "$evidence" "$evidence" --markdown --out -
expect_status "--markdown of two" 2 "$status"
run report "$evidence" --lang zh --out -
expect_status "--lang without --markdown" 2 "$status"
run report "$evidence" --markdown --lang fr --out -
expect_status "a language that there is not" 2 "$status"
expect "the message names those that there are" said "--lang: fr not in {en,zh}" err
run run "$work/nobody.yaml" --yes --lang fr
expect_status "run in a language that there is not" 2 "$status"
expect "which comes before anything else" said "--lang: fr not in {en,zh}" err
run run "$work/nobody.yaml" --yes --lang zh
expect "in one that there is, the drill is looked at" said "no-such-container-here" err

run doctor --json
expect "doctor prints JSON" jq -e '.capabilities | length > 5' "$work/out"
finish
