#!/bin/bash
# `brownout plan`: it changes nothing, and what it says beforehand is what is there when the drill injects.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"
app_up

more='caps: {max_packets: 100000}
abort_when: [{no_completed_call: 30s}]'
drill PLANNED "$(LATENCY_AND_LOSS)" '{baseline: 2s, inject: 60s, recovery: 2s}'
more=

# plan_of NAME [OPTION...]: JSON in $work/NAME.plan, status in $status.
plan_of() {
  local drill=$1
  shift
  "$BROWNOUT" plan "$work/$drill.yaml" --json "$@" >"$work/$drill.plan" 2>"$work/$drill.err"
  status=$?
}
planned() { jq -e "$2" "$work/$1.plan"; }

# What is there now, one object a line: names as the kernel keeps them.
objects() {
  bpftool -j prog show | jq -r '.[] | select(.type != "cgroup_device") | "program \(.name // "" | .[:15]) \(.id)"'
  bpftool -j map show | jq -r '.[] | "map \(.name // "") \(.id)"'
  bpftool -j link show | jq -r '.[] | "link \(.id)"'
  ip -j link show | jq -r '.[] | "device \(.ifname)"'
}
# made_since BEFORE: what was not there then, without ids.
made_since() {
  objects | sort | comm -13 "$1" - | sed -E 's/^(program .*|map .*|link) [0-9]+$/\1/; s/^device brownout.*/device/' | sort
}
# said NAME CONDITION: the same of the plan's objects.
said() {
  jq -r ".kernel.objects[] | select(.only_if $2) | select(.kind != \"filter\" and .kind != \"qdisc\") |
    if .kind == \"link\" or .kind == \"device\" then .kind else \"\(.kind) \(.name[:15])\" end" "$work/$1.plan" | sort
}

census "$work/census"
{ ip -d link show; tc qdisc show; tc filter show dev "$link" ingress; } | sed -E 's/ (packets|bytes|refcnt) [0-9]+//g' >"$work/listings"
plan_of PLANNED
expect_status "a plan" 0 $status
cp "$work/PLANNED.plan" "$work/first.plan"
plan_of PLANNED --explain-packet "$(jq -r '.reach.matching_connections.first[0] | "\(.local) > \(.peer) tcp"' "$work/first.plan")"
expect_status "and another" 0 $status
expect "both leave the machine as it was" census_equal "$work/census"
expect "and the listings, byte by byte" diff "$work/listings" <({ ip -d link show; tc qdisc show; tc filter show dev "$link" ingress; } | sed -E 's/ (packets|bytes|refcnt) [0-9]+//g')
expect "both say the same of the kernel" diff <(jq '.kernel | del(.cost)' "$work/first.plan") <(jq '.kernel | del(.cost)' "$work/PLANNED.plan")
expect "nothing is refused" planned PLANNED '.refused == null'
expect "the target is resolved" planned PLANNED ".target.pid == $pid and .interface.host == \"$link\""
expect "the connections that match are there, and who holds them" planned PLANNED \
  ".reach.matching_connections | .count >= 1 and (.first[0].peer == \"$server:$port\") and (.first[0].held_by | startswith(\"python3\"))"
expect "packets pass, and what they cost was measured" planned PLANNED \
  '.reach.packets_per_second > 0 and .kernel.cost.hit_ns > 0 and .kernel.cost.missed_ns > 0'
expect "memory is accounted" planned PLANNED '.kernel.bytes > 1000000'
expect "queues are sized" planned PLANNED '.queue_limits.limit_packets > 0'
expect "a packet of such a connection is hit by both faults" planned PLANNED '.packet | .direction == "egress" and all(.faults[]; .hit)'

"$BROWNOUT" plan "$work/PLANNED.yaml" --explain-packet "$server:9 > $(jq -r '.reach.matching_connections.first[0].local' "$work/first.plan") tcp" >"$work/plan.out" 2>"$work/plan.err"
expect_status "in words" 0 $?
expect "it says how many objects" grep -Eq '^makes in the kernel, and takes away again: [0-9]+ programs, [0-9]+ maps, [0-9]+ links' "$work/plan.out"
expect "and each of them" grep -Eq '^  link +from_container +ingress of ' "$work/plan.out"
expect "its bounds" grep -Eq '^cap: 100000 packets' "$work/plan.out"
expect "and what aborts it" grep -qx 'aborts when no call is completed for 30s' "$work/plan.out"
expect "and what keeps a packet away" grep -Eq '^  fault 2 \(.*\): missed, by port$' "$work/plan.out"
expect "towards the container" grep -q ": ingress (its destination is the target's)" "$work/plan.out"

plan_of PLANNED --explain-packet 'nonsense'
expect_status "what is no packet is a mistake of usage" 2 $status
expect "which is named" grep -qF "'nonsense' is not a packet" "$work/PLANNED.err"
cp "$work/first.plan" "$work/PLANNED.plan"

objects | sort >"$work/objects"
start_drill PLANNED
expect "it injects" wait_until 30 drill_said PLANNED injecting
made_since "$work/objects" >"$work/made"
expect "all that was said is there" diff /dev/null <(comm -23 <(said PLANNED '== null') "$work/made")
expect "and nothing else but what was said to depend" diff /dev/null <(comm -13 <(said PLANNED '== null') "$work/made" | comm -23 - <(said PLANNED '!= null'))
expect "there is something of each kind" bash -c 'for kind in program map link device; do grep -q "^$kind" "$1" || exit 1; done' _ "$work/made"
plan_of PLANNED
expect_status "while it runs, a plan is refused" 2 $status
expect "by its name" planned PLANNED '.refused | contains("PLANNED")'
expect "and still says everything" planned PLANNED '.kernel.objects | length > 20'
kill -INT "$brownout_pid"
wait_drill
expect "the machine is as it was" census_equal "$work/census"

sed 's/runtime: runc/runtime: crun/' "$work/PLANNED.yaml" >"$work/ELSEWHERE.yaml"
plan_of ELSEWHERE
expect "whom it cannot find it does not plan for" test $status = 2
finish
