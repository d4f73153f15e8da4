# What must be equal before and after: BPF links, programs and maps, interfaces, qdiscs, netns, cgroups.
# shellcheck shell=bash
#
# Device filters (cgroup_device) are the container runtime's: they go when the kernel at last frees a dead cgroup.
#
# census FILE writes it. Programs and maps are freed after a grace period of the kernel, so census_equal waits.

# cgroup2_mount: not one that a later mount covers, as in a mount namespace made on a hybrid host.
cgroup2_mount() {
  local mount
  while read -r mount; do
    [[ ! -e $mount/cgroup.procs ]] || { echo "$mount"; return; }
  done < <(awk '$3 == "cgroup2" {print $2}' /proc/mounts)
}

census() {
  {
    bpftool -j link show 2>/dev/null | jq -r '.[]? | "link \(.id)"'
    bpftool -j prog show 2>/dev/null | jq -r '.[]? | select(.type != "cgroup_device") | "prog \(.id) \(.name // "")"'
    bpftool -j map show 2>/dev/null | jq -r '.[]? | "map \(.id) \(.name // "")"'
    ip -j link show | jq -r '.[] | "interface \(.ifname)"'
    tc -j qdisc show | jq -r '.[] | "qdisc \(.dev) \(.kind)"'
    ip netns list | sed 's/^/netns /'
    find "$(cgroup2_mount)" -type d | sed 's/^/cgroup /'
  } | sort >"$1"
}

# census_equal BEFORE: true once the machine is as it was; after 5 s it says what is not.
census_equal() {
  local after deadline=$((SECONDS + 5))
  after=$(mktemp)
  while :; do
    census "$after"
    if cmp -s "$1" "$after"; then rm -f "$after"; return 0; fi
    ((SECONDS < deadline)) || break
    sleep 0.1
  done
  echo "not as before:" >&2
  diff "$1" "$after" >&2
  rm -f "$after"
  return 1
}
