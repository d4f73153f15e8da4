#!/usr/bin/env bash
# Every bad drill: exit 2, a message with file and line, and a system as it was.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../support/check.sh"
. "$here/../support/census.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

census "$work/before"
count=0
for drill in "$here"/../golden/drills/bad/*.yaml; do
  "$BROWNOUT" run "$drill" --yes --out "$work/out" >"$work/stdout" 2>"$work/stderr" </dev/null
  expect_status "${drill##*/}" 2 $?
  expect "${drill##*/}: file, line and column" grep -qE "${drill##*/}:[0-9]+:[0-9]+: " "$work/stderr"
  expect "${drill##*/}: nothing on stdout" test ! -s "$work/stdout"
  count=$((count + 1))
done
expect "at least 20 kinds" test "$count" -ge 20
expect "no bundle" test ! -e "$work/out"
expect "the system is untouched" census_equal "$work/before"
finish
