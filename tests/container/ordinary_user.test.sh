#!/usr/bin/env bash
# A drill by an ordinary user, with file capabilities and nothing else. And what any drill has left once it injects, thread by
# thread.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

user=nobody
needed=cap_sys_admin,cap_bpf,cap_net_admin,cap_sys_ptrace,cap_dac_read_search
journals=/run/brownout

as_user() { setpriv --reuid "$user" --regid "$(id -gn "$user")" --clear-groups "$@"; }

# mask NUMBER...: of these capabilities, as /proc/PID/status has it.
mask() {
  local bits=0 number
  for number; do bits=$((bits | 1 << number)); done
  printf '%016x' "$bits"
}
dac_override=1 dac_read_search=2 net_admin=12 sys_admin=21 sys_nice=23 bpf=39

status_of() { awk -v key="$2:" '$1 == key { print $2 }' "$1/status"; }

# kept_as_documented PID: every thread of it has what docs/security.md says, and says more where it has more.
kept_as_documented() {
  local task wanted got netlink=()
  grep -qE 'hooks: clsact|delay by edt' "$work/$2.err" && netlink=("$net_admin")
  for task in "/proc/$1/task"/*; do
    case $(<"$task/comm") in
      brownout-line*) wanted=$(mask "$sys_nice") ;;
      *) wanted=$(mask "$dac_read_search") ;;
    esac
    [[ ${task##*/} != "$1" ]] || wanted=$(mask "$bpf" "$dac_read_search" "${netlink[@]}")
    got=$(status_of "$task" CapPrm)
    if (((0x$got & ~0x$wanted) != 0)) || [[ $(status_of "$task" NoNewPrivs)$(status_of "$task" Seccomp) != 12 ]]; then
      echo "thread ${task##*/} ($(<"$task/comm")) has $got, not $wanted, or may call what it likes"
      return 1
    fi
  done
}

guardian_as_documented() {
  local guardian got wanted
  guardian=$(pgrep -P "$1" -x brownout-guard) || return 1
  got=$(status_of "/proc/$guardian" CapPrm)
  wanted=$(mask "$sys_admin" "$bpf" "$net_admin" "$dac_read_search" "$dac_override")
  (((0x$got & ~0x$wanted) == 0))
}

# inspect NAME COMMAND...: a drill to its end, looked at while it injects.
inspect() {
  local name=$1
  shift
  setsid env --default-signal=INT "$@" run "$work/$name.yaml" --out "$out" --yes \
    >"$work/$name.out" 2>"$work/$name.err" </dev/null &
  brownout_pid=$!
  wait_until 60 drill_said "$name" "injecting latency" || { show "$name"; flunk "$name never injected"; finish; }
  expect "$name: its threads keep what is documented" kept_as_documented "$brownout_pid" "$name"
  expect "$name: so does the guardian" guardian_as_documented "$brownout_pid"
  wait_drill
  expect_status "$name: PASS" 0 "$status"
  ((status == 0)) || show "$name"
  expect "$name: the bundle verifies" "$BROWNOUT" verify "$(bundle_of "$name")"
  expect "$name: what it gave up is in the evidence" jq -n -e \
    'first(inputs | select(.what == "give up privileges")) | .result == "ok" and (.object | contains("SYS_ADMIN") | not)' \
    <(in_bundle "$name" timeline.jsonl)
  expect "$name: that nothing was left is known" jq -n -e \
    'first(inputs | select(.kind == "cleanup")) | .leftovers == []' <(in_bundle "$name" timeline.jsonl)
  judged_again "$name"
}

restore_journals() {
  [[ -z ${owner:-} ]] || chown -R "$owner" "$journals"
  tear_down
}

app_up
census "$work/before"
for backend in delay_line edt; do
  more="backend: $backend" drill "ROOT_$backend" "$(LATENCY_AND_LOSS)" '{baseline: 3s, inject: 8s, recovery: 3s}'
  if [[ $backend == edt ]] && ! "$BROWNOUT" doctor --json | jq -e '.capabilities[] | select(.name == "fq") | .present' >/dev/null; then
    echo "      no sch_fq here: edt is not looked at"
    continue
  fi
  inspect "ROOT_$backend" "$BROWNOUT"
done

# The user's own: a directory for evidence, the executable with its capabilities, and a run directory that is closed to it.
chmod 711 "$work" "$app"
chmod 700 "$app/runs"
chown "$user" "$out"
install -m 755 "$BROWNOUT" "$work/brownout"
as_user test -w /dev/net/tun || needed+=,cap_dac_override
setcap "$needed=ep" "$work/brownout" || skip file-capabilities "setcap is refused on $work"
drill USER "$(LATENCY_AND_LOSS)" '{baseline: 3s, inject: 8s, recovery: 3s}'
sed -i "s/^target: .*/target: {pid: $pid}/" "$work/USER.yaml"

owner=$(stat -c %u:%g "$journals")
trap restore_journals EXIT
[[ $needed == *dac_override* ]] || {
  as_user "$work/brownout" run "$work/USER.yaml" --out "$out" --yes >"$work/CLOSED.out" 2>"$work/CLOSED.err" </dev/null
  expect_status "journals that are closed to the user" 4 $?
  expect "it is told what to do" grep -q "install -d -m 0700 -o USER $journals" "$work/CLOSED.err"
}
chown -R "$user" "$journals"
inspect USER setpriv --reuid "$user" --regid "$(id -gn "$user")" --clear-groups "$work/brownout"
expect "USER: the evidence is the user's" test "$(stat -c %U "$(bundle_of USER)")" = "$user"
expect "USER: no journal and no lock is left" test -z "$(find "$journals" -name '*.jsonl' -o -name 'netns-*.lock')"

as_user setpriv --no-new-privs "$work/brownout" run "$work/USER.yaml" --out "$out" --yes >"$work/NONE.out" 2>"$work/NONE.err" </dev/null
expect_status "without capabilities" 4 $?
expect "those that are missing are named" grep -q "lacks CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_BPF" "$work/NONE.err"
expect "the machine is as before" census_equal "$work/before"
finish
