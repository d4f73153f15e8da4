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
expect "only the bundle, its digest and its report are left" test "$(ls -A "$out" | wc -l)" = 3
report=${bundle%.tar.gz}.report.txt
expect "the report beside it says where it is, its size and digest" sh -c "
  grep -qxF 'archive_path: $bundle' '$report' && grep -qxF 'archive_size: $(stat -c %s "$bundle")' '$report' &&
  grep -qxF 'archive_sha256: $(sha256sum "$bundle" | cut -d ' ' -f 1)' '$report'"
expect "the digest beside it holds" sh -c "cd '$out' && sha256sum -c --strict --quiet *.sha256"
mkdir "$work/open"
expect "tar opens it" tar xzf "$bundle" -C "$work/open"
expect "sha256sum checks it" sh -c "cd '$work'/open/*/ && sha256sum -c --strict --quiet SHA256SUMS.txt"
expect "brownout verify" "$BROWNOUT" verify "$bundle"
expect "brownout judge, of the opened bundle" "$BROWNOUT" judge "$work"/open/*/
judged_again demo
expect "its files are as the schemas in it say" "$support/bundle_schemas.py" "$bundle"
opened=$(echo "$work"/open/*/)
expect "every check points at evidence" jq -e '[.checks[] | .evidence_refs | length > 0] | all' "$opened/verdict.json"
expect "what was done to the host is listed" sh -c "
  for what in 'attach tracer' 'attach faults' 'give up privileges' 'detach faults'; do
    jq -se --arg what \"\$what\" 'any(.[]; .what == \$what)' '$opened/actions.jsonl' >/dev/null || exit 1; done"
expect "the audit says what nobody knows, and what was tried" jq -e '.audit.git_commit.value == "unknown" and
  (.audit.git_commit.tried | length > 2) and .audit.container_created.source == "runc: created, of its state"' \
  "$opened/manifest.json"
expect "rules are respected, or said not to be checked" jq -e '[.rules[].outcome] | index("broken") == null and
  (map(select(. == "respected")) | length >= 3)' "$opened/manifest.json"
expect "the run directory's changes are the app's" jq -e '[.changes[] | select(.place == "run_dir") | .by] |
  length > 0 and all(. == "app")' "$opened/manifest.json"
for when in before during after; do
  expect "$when: counters, settings, sockets and interfaces of the target" sh -c "cd '$opened/host/$when' &&
    grep -q '^TcpRetransSegs ' nstat.txt && grep -q '^net.ipv4.tcp_retries2 = ' sysctl.txt &&
    grep -q '^# ss -tinoe' ss.txt && grep -q 'cwnd:' ss.txt && grep -q ' inet ' ip.txt && grep -q qdisc host.txt"
  expect "$when: what a tool did not say is told" jq -e \
    'all(.[]; .problem == null or (.problem | length > 0))' "$opened/host/$when/commands.json"
done
expect "bpftool listed our programs while they acted" grep -q '  name trace_egress ' "$opened/host/during/bpftool.txt"
expect "and not before or after" sh -c "! grep -q '  name trace_egress ' '$opened'/host/before/bpftool.txt '$opened'/host/after/bpftool.txt"
expect "brownout explain shows lines of the kernel's events" grep -q 'kernel/events.jsonl:' <("$BROWNOUT" explain "$bundle")
expect "the figures" "$support/demo_figures.py" "$work"/open/*/
expect "the machine is as before" census_equal "$work/before"
finish
