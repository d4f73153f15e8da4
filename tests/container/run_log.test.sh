#!/usr/bin/env bash
# Three drills on one container, the second of them killed: the run log numbers them, and the bundles tell which is left out.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

log=$work/state/runs.jsonl
mkdir -m 700 "$work/state"
trap 'kill "${authority_pid:-}" 2>/dev/null; tear_down' EXIT
mkdir "$work/tsa"
python3 "$support/time_stamp_authority.py" "$work/tsa" &
authority_pid=$!
wait_until 20 test -e "$work/tsa/port" || { flunk "no time-stamp authority"; finish; }
options=(--timestamp "http://127.0.0.1:$(<"$work/tsa/port")/")

# line_of NUMBER KIND: of the log.
line_of() { jq -c --argjson number "$1" --arg kind "$2" 'select(.kind == $kind and .number == $number)' "$log"; }
links_close() {
  local previous='' line
  while IFS= read -r line; do
    [[ $(jq -r .previous <<<"$line") == "$previous" ]] || return 1
    previous=$(printf '%s\n' "$line" | sha256sum | cut -c1-64)
  done <"$log"
}

app_up
short='{baseline: 2s, inject: 8s, recovery: 2s}'
long='{baseline: 2s, inject: 60s, recovery: 2s}'

drill FIRST "$(LATENCY_AND_LOSS)" "$short"
run_drill FIRST
expect "the run's number is said before the fault" grep -qE " run: 1 of runc $name \([0-9a-f]{64}\)\$" "$work/FIRST.err"
expect "the log is root's alone" test "$(stat -c '%a %u' "$log")" = "600 $(id -u)"
expect "the first run has its end" jq -e --arg sha "$(sed -n 's/^sha256: //p' "$work/FIRST.out")" \
  '.archive_sha256 == $sha and .verdict != null' <(line_of 1 end)
expect "the bundle has the line" jq -e --arg sha "$(line_of 1 start | sha256sum | cut -c1-64)" \
  '.run_log.run.line_sha256 == $sha and .run_log.run.number == 1 and .run_log.run.previous == null' <(in_bundle FIRST manifest.json)
"$BROWNOUT" verify "$(bundle_of FIRST)" --timestamp-ca "$work/tsa/ca.pem" >"$work/FIRST.verified"
expect_status "the bundle is stamped" 0 $?
expect "by whom" grep -q '^origin: timestamp of SHA256SUMS.txt: 20.* by CN=Test Authority,O=Test$' "$work/FIRST.verified"
expect "stock openssl says so, too" bash -c "cd '$work' && tar xzf '$(bundle_of FIRST)' && cd IEB_* && \
  openssl ts -verify -data SHA256SUMS.txt -in SHA256SUMS.txt.tsr -CAfile '$work/tsa/ca.pem'"
if lsattr "$log" 2>/dev/null | grep -q '^[^ ]*a'; then
  expect "append-only: nobody cuts it" bash -c "! : >'$log'"
fi

drill KILLED "$(LATENCY_AND_LOSS)" "$long"
start_drill KILLED
wait_until 40 drill_said KILLED "injecting latency" || { show KILLED; flunk "KILLED never injected"; finish; }
kill -KILL "$brownout_pid"
wait_drill
expect "a killed run has begun, and no end" test -n "$(line_of 2 start)" -a -z "$(line_of 2 end)"
echo refuse >"$work/tsa/mood"
"$BROWNOUT" recover "$out" "${options[@]}" >"$work/REFUSED.out" 2>"$work/REFUSED.err"
expect "an authority that does not answer is told before anything is sealed" grep -q "gives no time stamp" "$work/REFUSED.err"
rm "$work/tsa/mood"

drill THIRD "$(LATENCY_AND_LOSS)" "$short"
start_drill THIRD
wait_until 40 drill_said THIRD "injecting latency" || { show THIRD; flunk "THIRD never injected"; finish; }
echo refuse >"$work/tsa/mood"
wait_drill
expect "an authority that no longer answers loses no bundle" test -e "$(bundle_of THIRD)"
expect "and it is said" grep -q "NO TIME STAMP" "$work/THIRD.err"
expect "the third run says that the second had no end" jq -e '.run_log.run | .number == 3 and .previous.number == 2 and
  .previous.ended == null' <(in_bundle THIRD manifest.json)
"$BROWNOUT" recover "$out" >"$work/KILLED.out" 2>"$work/KILLED.err"
expect_status "recover" 0 $?
expect "the log has how the killed run ended" jq -e '.verdict == "ERROR" and .archive_sha256 != null' <(line_of 2 end)
expect "the links close" links_close

"$BROWNOUT" verify "$(bundle_of FIRST)" "$(bundle_of THIRD)" >"$work/gap"
expect_status "a run that is left out" 1 $?
expect "is named" grep -q "^refused: runs of runc $name: 2 missing between 1 and 3; run 2, begun 20.*, with no end by then" "$work/gap"
"$BROWNOUT" verify "$(bundle_of THIRD)" "$(bundle_of KILLED)" "$(bundle_of FIRST)" >"$work/all"
expect_status "all three" 0 $?
expect "in order" grep -q "^runs of runc $name on .*: 1, 2, 3\$" "$work/all"
expect "and no other" grep -qx 'verified: no run is missing between these' "$work/all"
mkdir "$work/changed"
cp "$(bundle_of KILLED)" "$work/changed/"
printf x >>"$work/changed/$(basename "$(bundle_of KILLED)")"
"$BROWNOUT" verify "$(bundle_of FIRST)" "$work"/changed/*.tar.gz "$(bundle_of THIRD)" >"$work/refused"
expect_status "one of them is refused" 1 $?
expect "what it says of its run is not asked" bash -c "grep -q '^refused: whether a run is missing is not looked at' '$work/refused' &&
  ! grep -q '^verified: no run is missing' '$work/refused'"
expect "the schemas take the bundle" "$support/bundle_schemas.py" "$(bundle_of FIRST)"

chmod 777 "$work/state"
options=()
drill OPEN "$(LATENCY_AND_LOSS)" "$short"
run_drill OPEN
expect "a log that others could write ends no drill" test -e "$(bundle_of OPEN)"
expect "it says so" jq -e '.run_log.run == null and (.run_log.unavailable | contains("alone"))' <(in_bundle OPEN manifest.json)
expect "so does verify" bash -c "'$BROWNOUT' verify '$(bundle_of OPEN)' | grep -q '^held: run log: NONE'"
finish
