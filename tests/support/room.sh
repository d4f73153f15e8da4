# Rooms for container engines: mount, network and cgroup namespaces, and a cgroup subtree, of their own. To be sourced
# after demo.sh.
#
#   room_up DIR [host_cgroups]    makes DIR/in: `DIR/in COMMAND...` runs COMMAND in the room, in the subtree's `init` cgroup
#   room_down DIR                 ends all that runs in it, and waits until its cgroups are gone; false: some are left
#
# An engine may move what it finds in the root of the cgroup hierarchy, so it is never started from there. The room's
# subtree is all that it sees, except with `host_cgroups`: lxc and nspawn look up pid 1's cgroup, which a cgroup namespace
# hides. /run, /var/lib, /etc and /sys/fs/bpf are the room's: engines find their usual places, and leave nothing there.
# shellcheck shell=bash disable=SC2016,SC2038

room_up() {
  local dir=$1 subtree own=(-C)
  [[ ${2:-} != host_cgroups ]] || own=()
  mkdir -p "$dir"
  subtree=$(cgroup2_mount)/brownout-test-$$-${dir##*/}
  mkdir -p "$subtree"
  echo "$subtree" >"$dir/subtree"
  (
    echo "$BASHPID" >"$subtree/cgroup.procs"
    exec setsid unshare -m -n "${own[@]}" --propagation private bash -c '
      set -e
      ip link set lo up
      mount -t sysfs sysfs /sys; mount -t cgroup2 cgroup2 /sys/fs/cgroup
      own=/sys/fs/cgroup/${2:+${1##*/}/}init
      mkdir "$own"; echo $$ >"$own/cgroup.procs"
      mount -t bpf bpf /sys/fs/bpf
      mount -t tmpfs tmpfs /run; mkdir -p /run/lock /run/netns /run/upper/etc /run/upper/work
      mount -t overlay -o lowerdir=/etc,upperdir=/run/upper/etc,workdir=/run/upper/work overlay /etc
      mount -t tmpfs tmpfs /var/lib
      sysctl -qw net.ipv4.ip_forward=1
      touch "$3/ready"; exec sleep 36000' holder "$subtree" "${2:-}" "$dir" </dev/null >"$dir/log" 2>&1
  ) &
  echo $! >"$dir/holder"
  wait_until 5 test -e "$dir/ready" || { tail -3 "$dir/log"; flunk "no namespaces for ${dir##*/}"; finish; }
  printf '#!/bin/bash\necho $$ >%s/${ROOM_CGROUP:-init}/cgroup.procs\nexec nsenter -t %s -m -n %s -- "$@"\n' \
    "$subtree" "$!" "${own[*]}" >"$dir/in"
  chmod +x "$dir/in"
}

# room_cgroup DIR NAME: a cgroup beside `init`; ROOM_CGROUP=NAME DIR/in ... starts in it.
room_cgroup() { mkdir -p "$(<"$1/subtree")/$2"; }

room_down() {
  local dir=$1
  [[ -e $dir/holder ]] || return 0
  end_process "$(<"$dir/holder")"
  rm "$dir/holder"
  wait_until 5 no_cgroup_left "$(<"$dir/subtree")"
}

# Containers outlive their engine when a test ends early.
no_cgroup_left() {
  find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null | xargs -r kill -KILL 2>/dev/null
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
  [[ ! -d $1 ]]
}

# end_process PID: a child of this shell, waited for.
end_process() { [[ -z $1 ]] || { kill "$1" 2>/dev/null; wait "$1" 2>/dev/null; }; }
