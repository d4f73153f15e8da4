#!/usr/bin/env bash
# scripts/demo as a user runs it, and what its bundle must show to a stranger with stock tools.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"
demo=$repo_root/scripts/demo

census "$work/before"
started=$SECONDS
BROWNOUT=$BROWNOUT "$demo" --out "$out" >"$work/demo.out" 2>"$work/demo.err" </dev/null
status=$?
took=$((SECONDS - started))
expect_status "scripts/demo" 0 "$status"
((status == 0)) || show demo
expect "verdict PASS" test "$(verdict_of demo)" = PASS
expect "under 60 s (took $took s)" test "$took" -lt 60
expect "the container is without means" grep -q "no tc in it, no CAP_NET_ADMIN" "$work/demo.err"
expect "stdout ends with the sha256" grep -qE '^sha256: [0-9a-f]{64}$' <(tail -n 1 "$work/demo.out")

bundle=$(bundle_of demo)
expect "only the bundle and its digest are left" test "$(ls -A "$out" | wc -l)" = 2
expect "the digest beside it holds" sh -c "cd '$out' && sha256sum -c --strict --quiet *.sha256"
mkdir "$work/open"
expect "tar opens it" tar xzf "$bundle" -C "$work/open"
expect "sha256sum checks it" sh -c "cd '$work'/open/*/ && sha256sum -c --strict --quiet SHA256SUMS.txt"
expect "brownout verify" "$BROWNOUT" verify "$bundle"
expect "brownout judge, of the opened bundle" "$BROWNOUT" judge "$work"/open/*/
judged_again demo
expect "its files are as the schemas in it say" "$support/bundle_schemas.py" "$bundle"
expect "brownout explain shows lines of the kernel's events" grep -q 'kernel/events.jsonl:' <("$BROWNOUT" explain "$bundle")
expect "the figures" "$support/demo_figures.py" "$work"/open/*/
expect "the machine is as before" census_equal "$work/before"
finish
