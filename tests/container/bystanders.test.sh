#!/usr/bin/env bash
# The operator's own connection and the container runtime's are not hit unless the drill says so: nothing is attached.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

command -v tmux >/dev/null || { flunk "tmux is not installed; scripts/test installs it"; finish; }
held=()
trap 'for process in "${held[@]}"; do kill "$process" 2>/dev/null; done; tear_down' EXIT

# in_container COMMAND...: in the container's network namespace only.
in_container() { nsenter -t "$pid" -n "$@" & held+=($!); }
bystander=("$python" "$support/bystander.py")

# as_operator NAME COMMAND...: under a stand-in for sshd, whose connection comes out of the container; sets status.
as_operator() {
  local shown=$1
  shift
  rm -f "$work/port"
  "${bystander[@]}" sshd-session accept "$server" "$work/port" "$@" >"$work/$shown.out" 2>"$work/$shown.err" &
  local sshd=$!
  wait_until 10 test -e "$work/port" || { flunk "no stand-in for sshd"; finish; }
  in_container "${bystander[@]}" ssh connect "$server" "$(<"$work/port")"
  wait "$sshd"
  status=$?
  ssh_port=$(<"$work/port")
}

run_of() { echo "$BROWNOUT" run "$work/$1.yaml" --out "$out" --yes; }
nothing_happened() {
  expect "$1: no bundle, no evidence" test -z "$(ls -A "$out")"
  expect "$1: nothing was attached" census_equal "$work/before"
}

app_up
census "$work/before"
drill ALL '  - latency: {delay: 300ms}
    match: {protocol: udp}
  - latency: {delay: 300ms}
    match: {protocol: tcp}'
line=$(grep -n 'latency' "$work/ALL.yaml" | tail -n 1 | cut -d: -f1)

as_operator ALL $(run_of ALL)
expect_status "the operator's connection would be hit" 2 "$status"
expect "the drill's line is named, and the fault" drill_said ALL "ALL.yaml:$line: fault 2 (latency 300ms both tcp *:*)"
expect "the connection is named, and sshd" grep -qE "would hit .*$server:$ssh_port to .* \(sshd-session, pid [0-9]+\)" "$work/ALL.err"
expect "the way out is named" drill_said ALL 'allow: [operator_ssh]'
nothing_happened "the operator's connection"

# The stand-in's clients of tmux are below it; the server, and brownout with it, are not.
as_operator TMUX script -qec "tmux -L '$name' -f /dev/null new-session \
  '$(run_of ALL) >\"$work/IN_TMUX.out\" 2>\"$work/IN_TMUX.err\"; echo \$? >\"$work/IN_TMUX.status\"'" /dev/null
expect "in tmux it would be hit, too" test "$(cat "$work/IN_TMUX.status")" = 2
expect "in tmux: the connection is named" drill_said IN_TMUX "$server:$ssh_port to"
nothing_happened "in tmux"

drill ELSEWHERE "  - latency: {delay: 300ms}
    match: {protocol: tcp, port: $port}"
as_operator ELSEWHERE "$BROWNOUT" run "$work/ELSEWHERE.yaml" --out "$out"
expect "a fault on other connections is not refused" drill_said ELSEWHERE "--yes was not given"

more='allow: [operator_ssh]' drill ALLOWED '  - latency: {delay: 300ms}
    match: {protocol: tcp}'
as_operator ALLOWED "$BROWNOUT" run "$work/ALLOWED.yaml" --out "$out"
expect "an operator who allows it is not refused" drill_said ALLOWED "--yes was not given"

rm -f "$work/port"
container_get "$app" client client
in_container "${bystander[@]}" probed accept "$client" "$work/port"
wait_until 10 test -e "$work/port" || { flunk "nobody listens in the container"; finish; }
"${bystander[@]}" kubelet connect "$client" "$(<"$work/port")" & held+=($!)
probe=$!
wait_until 10 grep -q '^kubelet' "/proc/$probe/comm" || flunk "no stand-in for kubelet"
wait_until 10 sh -c "ss -Htn state established dst '$client' dport = :$(<"$work/port") | grep -q ." || flunk "no probe"
run_drill ALL
expect_status "the runtime's connection would be hit" 2 "$status"
expect "the connection is named, and whose it is" grep -qE "container runtime to '$name': .* to $client:$(<"$work/port") \(kubelet, pid $probe\)" "$work/ALL.err"
expect "the way out is named" drill_said ALL 'allow: [runtime_sockets]'
nothing_happened "the runtime's connection"

more='allow: [runtime_sockets]' drill PROBED '  - latency: {delay: 300ms}
    match: {protocol: tcp}'
start_drill PROBED
expect "what matches is shown" wait_until 20 grep -qE '^open TCP connections that match: [1-9]' "$work/PROBED.err"
expect "one of them is the probe's" wait_until 10 drill_said PROBED "$client:$(<"$work/port") to $server:"
expect "the drill goes on" wait_until 20 drill_said PROBED "baseline for"
kill -INT "$brownout_pid"
wait_drill
expect_status "until it is stopped" 130 "$status"
expect "the machine is as before" census_equal "$work/before"
finish
