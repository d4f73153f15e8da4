#!/usr/bin/env bash
# No room for evidence: the fault ends, what was written stays and is sealed once there is room. Nowhere to write at all:
# nothing is attached.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

small=$work/small
mkdir -p "$small"
mount -t tmpfs -o size=160k,mode=0700 tmpfs "$small" || { flunk "cannot mount a small tmpfs"; finish; }
trap 'umount "$small" 2>/dev/null; tear_down' EXIT

app_up
census "$work/before"
drill FULL "$(printf '  - latency: {delay: 30ms}\n    match: {direction: egress, protocol: tcp}')" \
  '{baseline: 2s, inject: 60s, recovery: 2s}'
out=$small
begun=$SECONDS
run_drill FULL
expect_status "a full disk is an error" 4 "$status"
expect "it ends the drill long before its time" test "$((SECONDS - begun))" -lt 45
expect "the error says what the kernel said" drill_said FULL "No space left on device"
expect "and where the evidence is, and what to do" drill_said FULL "brownout recover $small/.brownout-"
expect "links, programs, maps, qdiscs and the TAP are gone" census_equal "$work/before"
[[ $failures == 0 ]] || show FULL

"$BROWNOUT" recover "$small" >"$work/FULL.out" 2>"$work/FULL.err"
expect_status "recover, still without room, is an error" 4 $?
expect "and leaves the evidence where it is" test -n "$(find "$small" -maxdepth 1 -name '.brownout-*')"
expect "and no half an archive" test -z "$(find "$small" -maxdepth 1 -name '*IEB_*')"
mount -o remount,size=64m "$small"
"$BROWNOUT" recover "$small" >"$work/FULL.out" 2>"$work/FULL.err"
expect_status "recover, with room" 0 $? || show FULL
expect "it is an error, not a verdict" test "$(verdict_of FULL)" = ERROR
expect "the bundle verifies" "$BROWNOUT" verify "$(bundle_of FULL)"
expect "what was recorded before is in it" jq -n -e 'reduce inputs as $event (0; . + 1) > 10' \
  <(in_bundle FULL kernel/events.jsonl)
judged_again FULL

rm -rf "${small:?}"/IEB_*
drill UNREAD "$(printf '  - latency: {delay: 30ms}\n    match: {direction: egress, protocol: tcp}')" \
  '{baseline: 2s, inject: 2s, recovery: 2s}'
"$BROWNOUT" run "$work/UNREAD.yaml" --out "$small" --yes >/dev/full 2>"$work/UNREAD.err" </dev/null
expect_status "a result that cannot be printed is an error" 4 $?
expect "that says so" drill_said UNREAD "write the result to stdout: No space left on device"
expect "and where the bundle is" "$BROWNOUT" verify "$(sed -n 's/^bundle: //p' "$work/UNREAD.err")"

rm -rf "${small:?}"/IEB_*
mount -o remount,ro "$small"
run_drill FULL
expect_status "a directory that cannot be written to is an error" 4 "$status"
expect "it is named" drill_said FULL "$small"
expect "nothing was attached for it" bash -c '! grep -q "waiting\|pressure\|injecting" "$1"' _ "$work/FULL.err"
expect "the machine is as before" census_equal "$work/before"
finish
