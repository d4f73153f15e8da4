# Drives a drill against the sample container; shared by the container tests.
# shellcheck shell=bash disable=SC2154
#
# Sets: work (a temporary directory), app (the container's directory), out (for bundles).

set -uo pipefail
support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$support/check.sh"
. "$support/census.sh"
. "$support/../../scripts/lib/common.sh"
. "$support/../../scripts/lib/container.sh"

work=$(mktemp -d)
app=$work/app
out=$work/out
brownout_pid=
options=() # of brownout run
export BROWNOUT_RUN_LOG=$work/state # the host's own is for drills that are meant
trap tear_down EXIT

tear_down() {
  [[ -z $brownout_pid ]] || kill -KILL "$brownout_pid" 2>/dev/null
  container_down "$app"
  chattr -a "$BROWNOUT_RUN_LOG"/runs.jsonl 2>/dev/null
  rm -rf "$work"
}

# app_up [CLIENT_ARG...]: the container under sustained calls, before and apart from any drill.
app_up() {
  mkdir -p "$app" "$out"
  (set -e; sample_app_up "$app" bocont "$@") || { flunk "the sample container did not start"; finish; }
  wait_until 10 sample_app_ready "$app" "${awaited:-calls}" || { flunk "the sample client has no answers"; finish; }
  container_get "$app" name name
  container_get "$app" server server
  container_get "$app" port port
  container_get "$app" link link
  container_get "$app" pid pid
}

# drill NAME FAULTS [PHASES]: writes $work/NAME.yaml; FAULTS is a YAML list.
drill() {
  cat >"$work/$1.yaml" <<YAML
brownout: 1
name: $1
target: {container: $name, runtime: runc, root: $app/runc}
app:
  run_dir: $app/runs/run_*
  required: [run_manifest.json, execution_fingerprint.json]
  require: {/mode: ${mode:-okx_demo_api}}
  process: {comm: python3}
  stop_file: $app/runs/STOP
pressure: {min_calls: 10, within: 10s, timeout: ${timeout:-15s}}
phases: ${3:-{baseline: 5s, inject: 12s, recovery: 5s\}}
faults:
$2
gates:
  - error_count: {min_increase: 1}
${more:-}
YAML
}

# run_drill NAME: to its end; sets status, and leaves stdout and stderr in $work/NAME.{out,err}.
run_drill() {
  "$BROWNOUT" run "$work/$1.yaml" --out "$out" --yes "${options[@]}" >"$work/$1.out" 2>"$work/$1.err" </dev/null
  status=$?
}

# start_drill NAME: in the background; sets brownout_pid.
start_drill() {
  setsid env --default-signal=INT "$BROWNOUT" run "$work/$1.yaml" --out "$out" --yes "${options[@]}" \
    >"$work/$1.out" 2>"$work/$1.err" </dev/null &
  brownout_pid=$!
}

wait_drill() {
  wait "$brownout_pid"
  status=$?
  brownout_pid=
}

drill_said() { grep -qF -- "$2" "$work/$1.err"; }
verdict_of() { sed -n 's/^verdict: //p' "$work/$1.out"; }
reason_of() { sed -n 's/^reason: //p' "$work/$1.out" | head -n 1; }
bundle_of() { sed -n 's/^bundle: //p' "$work/$1.out"; }
show() { sed "s/^/    /" "$work/$1.out" "$work/$1.err"; }

# in_bundle NAME FILE: prints a member of the drill's bundle.
in_bundle() {
  local bundle
  bundle=$(bundle_of "$1")
  tar xzOf "$bundle" "$(basename "$bundle" .tar.gz)/$2"
}

# judged_again NAME: judged from what was recorded alone, the drill gets the run's verdict, check by check, line by line.
judged_again() {
  "$BROWNOUT" judge --json "$(bundle_of "$1")" >"$work/$1.judged" 2>"$work/$1.judge.err"
  expect "$1: judged again, the same in all" diff <(in_bundle "$1" verdict.json | jq -S .) \
    <(jq -S 'del(.drill_sha256, .recorded_drill_sha256, .sealed_verdict)' "$work/$1.judged")
}

LATENCY_AND_LOSS() {
  cat <<YAML
  - latency: {delay: 300ms, jitter: 20ms}
    match: {direction: egress, protocol: tcp, cidr: $server/32, port: $port}
  - loss: {rate: 8%}
    match: {protocol: tcp, cidr: $server/32, port: $port}
YAML
}
