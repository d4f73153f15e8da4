# The guest's "container" (a cgroup, a network namespace and a veth), its application, and drills on it.
# shellcheck shell=bash disable=SC2034
set -uo pipefail
. /suite/check.sh
. /suite/census.sh

work=$(mktemp -d)
cgroup=/sys/fs/cgroup/app
host_address=10.77.0.1
app_address=10.77.0.2
port=8080            # the server
blackholed_port=8081 # the same server once more, for faults of its own
closed_port=8082
think_ms=40 # of the server: what the emulated CPU adds to a call stays small beside it
trap tear_down EXIT

# expected FILTER: what tests/vm/kernels.yaml says of this kernel.
expected() { jq -r "$1" /suite/expected.json; }

# wait_until SECONDS COMMAND...
wait_until() {
  local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
  shift
  until "$@"; do
    ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
    sleep 0.05
  done
}

room_up() {
  mkdir -p "$cgroup" "$work/out"
  ip netns add app
  ip link add vapp type veth peer name eth0 netns app
  ip address add "$host_address/24" dev vapp
  ip link set vapp up
  ip -n app address add "$app_address/24" dev eth0
  ip -n app link set eth0 up
  ip -n app link set lo up
  local listening
  for listening in $port $blackholed_port; do
    /extra/vm_app serve "$host_address" "$listening" --think-ms "$think_ms" &
  done
}

# in_app COMMAND...: becomes a process of the container. To be run in the background or in a subshell.
in_app() {
  echo "$BASHPID" >"$cgroup/cgroup.procs"
  exec nsenter --net=/run/netns/app "$@"
}

# client_up: its connections are open, and in use, before brownout comes.
client_up() {
  in_app /extra/vm_app client "$host_address" "$port" --runs-dir "$work/runs" --calls "$work/calls" &
  wait_until 30 calls_made 20 || { flunk "the client has no answers"; finish; }
}

calls_made() { (($(wc -l 2>/dev/null <"$work/calls" || echo 0) >= $1)); }

nobody_left() { [[ -z $(jobs -rp) ]]; }

tear_down() {
  # Whoever was started, also one who waits for what will never come: a step that failed shall end, not the whole machine.
  local started
  mapfile -t started < <(jobs -p)
  kill "${started[@]}" 2>/dev/null
  wait_until 20 nobody_left || kill -KILL "${started[@]}" 2>/dev/null
  wait
  ip link delete vapp 2>/dev/null
  ip netns delete app 2>/dev/null
  rmdir "$cgroup" 2>/dev/null
  rm -rf "$work"
}

# drill NAME FAULTS PHASES [MORE]: writes $work/NAME.yaml; FAULTS is a YAML list.
drill() {
  cat >"$work/$1.yaml" <<YAML
brownout: 1
name: $1
target: {cgroup: $cgroup}
pressure: {min_calls: 20, within: 5s, timeout: 20s}
phases: $3
seed: 7
faults:
$2
${4:-}
YAML
}

run_drill() {
  brownout run "$work/$1.yaml" --out "$work/out" --yes >"$work/$1.out" 2>"$work/$1.err" </dev/null
  status=$?
  open_bundle "$1"
}

# start_drill NAME: in the background, until it injects.
start_drill() {
  brownout run "$work/$1.yaml" --out "$work/out" --yes >"$work/$1.out" 2>"$work/$1.err" </dev/null &
  brownout_pid=$!
  wait_until 400 grep -qs 'injecting' "$work/$1.err" || { flunk "$1 never injected"; show "$1"; whereabouts "$brownout_pid"; return 1; }
}

wait_drill() {
  wait "$brownout_pid"
  status=$?
  open_bundle "$1"
}

# Sets bundle (the opened directory) and archive.
open_bundle() {
  archive=$(sed -n 's/^bundle: //p' "$work/$1.out")
  bundle=$work/open/$1
  mkdir -p "$bundle"
  [[ -n $archive ]] && tar -xzf "$archive" -C "$bundle" --strip-components=1
}

# whereabouts PID: where each of its threads stands, in the kernel too.
whereabouts() {
  local task
  [[ -d /proc/$1 ]] || { echo "it has ended"; return; }
  for task in /proc/"$1"/task/*; do
    printf '%s %s: %s\n' "${task##*/}" "$(<"$task/comm")" "$(grep -h '^State' "$task/status")"
    sed 's/^/    /' "$task/stack"
  done
}

show() { tail -n 25 "$work/$1.err" "$work/$1.out"; }

verdict_of() { sed -n 's/^verdict: //p' "$work/$1.out"; }

# check_passes CHECK: all checks of that name in the bundle's verdict.
check_passes() {
  jq -e --arg name "$1" '[.checks[] | select(.name | startswith($name))]
    | length > 0 and all(.outcome == "pass")' "$bundle/verdict.json" >/dev/null ||
    { jq -c --arg name "$1" '.checks[] | select(.name | startswith($name))' "$bundle/verdict.json"; return 1; }
}
