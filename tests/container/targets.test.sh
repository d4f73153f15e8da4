#!/usr/bin/env bash
# The same client under every container runtime, and a drill against each by the name that its users know. What holds of
# each is a row of docs/targets.md; BROWNOUT_RENEW=targets writes it there.
#
# TARGETS_BY_PID=1 names every target by its pid: what is red then as well is not the resolver's fault. TARGETS_ONLY='lxc crun'
# runs these rows. With either of them the document is left alone.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"
. "$support/room.sh"

for needed in /usr/sbin/dockerd podman containerd ctr runc crun lxc-start systemd-nspawn; do
  command -v "$needed" >/dev/null || { flunk "$needed is not installed; scripts/test installs it"; finish; }
done
rows=$work/rows
server_address=198.18.0.1 # on the loopback device of the room, which every container has a way to
client_command=("$python" /app/client.py --base-url "http://$server_address:18080" --runs-dir /tmp --workers 8)
started=() # pids of this shell's children

everything_down() {
  local index
  for ((index = ${#started[@]} - 1; index >= 0; index--)); do end_process "${started[index]}"; done
  started=()
  room_down "$work/engines" || flunk "cgroups are left"
  room_down "$work/machines" || flunk "cgroups are left"
}
trap 'everything_down; tear_down' EXIT

# enter ROOM: where the rows that follow are.
enter() {
  room=$work/$1 inside=$work/$1/in
  room_up "$room" "${2:-}"
  "$inside" ip address add "$server_address/32" dev lo
  in_background server "$python" "$demo_dir/server.py" "$server_address" 18080
  wait_until 5 grep -qs ready "$room/server.log" || { flunk "no server"; finish; }
}

# in_background NAME COMMAND...: in the room; its pid is the last of `started`.
in_background() {
  local log=$room/$1.log
  shift
  "$inside" "$@" </dev/null >"$log" 2>&1 &
  started+=($!)
}

end_last() { end_process "${started[-1]}"; unset 'started[-1]'; }

# veth NAME NUMBER: a network namespace with eth0, and its other end in the room.
veth() {
  "$inside" ip netns add "$1"
  "$inside" ip link add "$1" type veth peer name eth0 netns "$1"
  host_end "$1" "$2"
  "$inside" ip netns exec "$1" ip -batch - <<END
link set lo up
address add 198.19.$2.2/30 dev eth0
link set eth0 up
route add default via 198.19.$2.1
END
}

no_veth() { "$inside" ip link delete "$1"; "$inside" ip netns delete "$1"; }

host_end() {
  "$inside" ip address add "198.19.$2.1/30" dev "$1"
  "$inside" ip link set "$1" up
}

wanted() { [[ -z ${TARGETS_ONLY:-} || " $TARGETS_ONLY " == *" $1 "* ]]; }

# target_line TARGET PID
target_line() { if [[ -z ${TARGETS_BY_PID:-} ]]; then echo "target: $1"; else echo "target: {pid: $2}"; fi; }

census_inside() { "$inside" bash -c '. "$1"; census "$2"' census "$support/census.sh" "$1"; }
as_before() { "$inside" bash -c '. "$1"; census_equal "$2"' census "$support/census.sh" "$1"; }

# row NAME TARGET PID RUNTIME ID WORDS: drills TARGET, which is to resolve to PID's cgroup and to ID, and writes the row.
row() {
  local name=$1 target=$2 pid=$3 cells
  wanted "$name" || return 0
  [[ $pid =~ ^[1-9] ]] || { flunk "$name: it does not run"; return; }
  cat >"$work/$name.yaml" <<YAML
brownout: 1
name: $name
$(target_line "$target" "$pid")
pressure: {min_calls: 10, within: 10s, timeout: 15s}
phases: {baseline: 2s, inject: 5s, recovery: 2s, settle: 1s}
faults:
  - latency: {delay: 200ms}
    match: {direction: egress, protocol: tcp, port: 18080}
  - loss: {rate: 10%}
    match: {protocol: tcp, port: 18080}
YAML
  census_inside "$work/$name.before"
  DOCKER_HOST=unix://$room/docker.sock "$inside" "$BROWNOUT" run "$work/$name.yaml" --out "$out" --yes \
    >"$work/$name.out" 2>"$work/$name.err" </dev/null
  as_before "$work/$name.before" >"$work/$name.left" 2>&1
  local undone=$?
  { in_bundle "$name" manifest.json; in_bundle "$name" verdict.json; } 2>/dev/null |
    jq -s '{manifest: .[0], verdict: .[1]}' >"$work/$name.said"
  in_bundle "$name" kernel/events.jsonl 2>/dev/null | jq -n '[inputs | select(.kind == "call" and .comm == "python3")] | length' \
    >"$work/$name.calls"
  cells=$(jq -rn --slurpfile said "$work/$name.said" --slurpfile calls "$work/$name.calls" --argjson undone "$((undone == 0))" \
    --argjson cgroup "$(cgroup_of "$pid")" --arg runtime "$4" --arg id "$5" --arg by_pid "${TARGETS_BY_PID:-}" '
    def cell: if . then "ok" else "no" end;
    def holds($id; $of; $n): [$said[0].verdict.checks[]? | select((.name | startswith($id)) and (.name | contains($of)))]
      | length == $n and all(.outcome == "pass");
    $said[0].manifest.target as $found |
    [ ($found.cgroup_id == $cgroup and ($by_pid != "" or ($found.runtime == $runtime and $found.container_id == $id)) | cell),
      (holds("fault_effective"; "loss"; 2) | cell),
      (holds("fault_effective"; "latency"; 1) | cell),
      (holds("trace_complete"; ""; 1) and ($calls[0] // 0) > 0 | cell),
      ($undone == 1 | cell) ] | join("\t")')
  printf '%s\t%s\t%s\t%s\n' "$name" "${7:-$target}" "$cells" "$6" >>"$rows"
  if [[ $cells == $'ok\tok\tok\tok\tok' ]]; then
    pass "$name: resolved, hit, traced, undone"
  else
    flunk "$name: resolve, loss, latency, trace, undo: ${cells//$'\t'/ }"
    show "$name"
    cat "$work/$name.left"
    jq -c '.manifest.target // empty, (.verdict.checks[]? | select(.outcome != "pass"))' "$work/$name.said"
  fi
}

# cgroup_of PID: the id of its cgroup.
cgroup_of() { stat -c %i "$(cgroup2_mount)$(sed -n 's/^0:://p' "/proc/$1/cgroup")" 2>/dev/null || echo 0; }

# spec NAME: an OCI bundle in $work/NAME for the network namespace NAME. Without resources: of these, not every hierarchy
# of cgroups has all that an engine's own default asks for.
spec() {
  mkdir -p "$work/$1"
  container_config "$work" "$1" "${client_command[@]}" | jq --arg name "$1" --arg rootfs "$work/rootfs" '
    .root.path = $rootfs | .linux.resources = {} | .mounts |= map(select(.destination != "/runs"))
    | (.linux.namespaces[] | select(.type == "network")).path = "/run/netns/" + $name' >"$work/$1/config.json"
}

docker_cli() { "$inside" /usr/bin/docker -H "unix://$room/docker.sock" "$@"; }
# Root's podman as it comes, but for what asks for systemd.
podman_cli() { "$inside" podman --cgroup-manager cgroupfs --runtime "$(command -v runc)" "$@"; }
ctr_cli() { "$inside" ctr -n k8s.io "$@"; }
oci_cli() { "$inside" "$1" --root "/run/shop/$1" "${@:2}"; }
manager_dir=/run/shop/manager
manager() { XDG_RUNTIME_DIR=$manager_dir "$inside" "$@"; }

docker_rows() {
  wanted docker || wanted labels || return 0
  local id pid
  echo '{}' >"$work/daemon.json"
  in_background docker /usr/sbin/dockerd --data-root "$work/docker" --exec-root "$work/docker.exec" --pidfile "$work/docker.pid" \
    -H "unix://$room/docker.sock" --exec-opt native.cgroupdriver=cgroupfs --config-file "$work/daemon.json"
  wait_until 20 docker_cli version >/dev/null 2>&1 || { tail -5 "$room/docker.log"; flunk "dockerd did not start"; return; }
  tar -C "$work/rootfs" -c . | docker_cli import - shop:1 >/dev/null
  id=$(docker_cli run -d --name shop --label ticket=OPS-1 -v /usr:/usr:ro -v "$demo_dir:/app:ro" --tmpfs /tmp shop:1 \
    "${client_command[@]}")
  pid=$(docker_cli inspect shop --format '{{.State.Pid}}')
  row docker '{container: shop, runtime: docker}' "$pid" docker "$id" "dockerd, its own bridge"
  row labels '{labels: {ticket: OPS-1}, runtime: docker}' "$pid" docker "$id" "the same container"
  docker_cli rm -f shop >/dev/null
  end_last
}

podman_row() {
  wanted podman || return 0
  local id pid
  # No limit above those that the machine may already have set.
  id=$(podman_cli run -d --name shop --pids-limit 0 --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 -v /usr:/usr:ro \
    -v "$demo_dir:/app:ro" --tmpfs /tmp --rootfs "$work/rootfs" "${client_command[@]}" 2>"$work/podman.log") ||
    cat "$work/podman.log"
  pid=$(podman_cli container inspect shop | jq '.[0].State.Pid')
  row podman '{container: shop, runtime: podman}' "$pid" podman "$id" "root's podman, its own bridge"
  podman_cli rm -f -t 0 shop >/dev/null
}

containerd_rows() {
  wanted containerd || wanted pod || return 0
  local pid
  veth shop 1
  spec shop
  ctr_cli run -d --config "$work/shop/config.json" --label io.kubernetes.pod.namespace=shop --label io.kubernetes.pod.name=web-0 \
    --label io.kubernetes.container.name=app shop-app
  pid=$(ctr_cli task ls | awk '$1 == "shop-app" {print $2}')
  row containerd '{container: shop-app, runtime: containerd}' "$pid" containerd shop-app "containerd, started with ctr"
  row pod '{pod: shop/web-0/app}' "$pid" containerd shop-app "the same container, by its labels: no kubelet"
  ctr_cli task rm -f shop-app 2>/dev/null
  ctr_cli container rm shop-app
  no_veth shop
}

# oci_row RUNTIME NUMBER
oci_row() {
  wanted "$1" || return 0
  veth "$1" "$2"
  spec "$1"
  oci_cli "$1" run -d --bundle "$work/$1" shop </dev/null >/dev/null 2>"$work/$1.log" || cat "$work/$1.log"
  row "$1" "{container: shop, runtime: $1, root: /run/shop/$1}" "$(oci_cli "$1" state shop | jq .pid)" "$1" shop "$1 alone"
  oci_cli "$1" delete -f shop
  no_veth "$1"
}

# A process in a network namespace and a cgroup, each with a name; no runtime knows of it.
plain_rows() {
  wanted netns || wanted cgroup || wanted pid || return 0
  local pid
  veth shop 4
  room_cgroup "$room" shop
  ROOM_CGROUP=shop in_background shop nsenter --net=/run/netns/shop \
    "$python" "$demo_dir/client.py" --base-url "http://$server_address:18080" --runs-dir "$work/runs" --workers 8
  pid=${started[-1]}
  row netns '{netns: /run/netns/shop}' "$pid" netns "" "a process in that namespace, in a cgroup of its own"
  row cgroup '{cgroup: /sys/fs/cgroup/shop}' "$pid" cgroup "" "the same process"
  row pid "{pid: $pid}" "$pid" pid "" "the same process" '{pid: N}'
  end_last
  no_veth shop
}

lxc_row() {
  wanted lxc || return 0
  mkdir -p "$work/lxc/shop"
  # Its cgroups below the one that it is started in, not in the root of the hierarchy.
  cat >"$work/lxc/shop/config" <<LXC
lxc.rootfs.path = dir:$work/rootfs
lxc.uts.name = shop
lxc.apparmor.profile = unconfined
lxc.cgroup.relative = 1
lxc.mount.auto = proc:mixed
lxc.mount.entry = /usr usr none bind,ro 0 0
lxc.mount.entry = $demo_dir app none bind,ro 0 0
lxc.mount.entry = tmpfs tmp tmpfs mode=1777 0 0
lxc.net.0.type = veth
lxc.net.0.veth.pair = lxcshop
lxc.net.0.name = eth0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 198.19.5.2/30
lxc.net.0.ipv4.gateway = 198.19.5.1
LXC
  "$inside" mkdir -p /var/lib/lxc
  "$inside" mount --bind "$work/lxc" /var/lib/lxc
  room_cgroup "$room" lxc
  ROOM_CGROUP=lxc "$inside" lxc-start -n shop -P /var/lib/lxc -d -o "$work/lxc.log" -- "${client_command[@]}" || tail -5 "$work/lxc.log"
  host_end lxcshop 5
  row lxc '{container: shop, runtime: lxc, root: /var/lib/lxc}' "$("$inside" lxc-info -n shop -P /var/lib/lxc -p -H)" lxc shop \
    "lxc-start, a veth without a bridge"
  "$inside" lxc-stop -k -n shop -P /var/lib/lxc
}

nspawn_pid() { ps -o pid= --ppid "${started[-1]}" | tr -d ' '; }

nspawn_row() {
  wanted nspawn || return 0
  local pid
  cp /etc/os-release "$work/rootfs/etc" # it starts no tree without
  room_cgroup "$room" nspawn
  ROOM_CGROUP=nspawn in_background nspawn systemd-nspawn --quiet --register=no --keep-unit --kill-signal=SIGKILL --network-veth --as-pid2 \
    --machine=shop --directory="$work/rootfs" --bind-ro=/usr --bind-ro="$demo_dir:/app" --tmpfs=/tmp "${client_command[@]}"
  wait_until 5 nspawn_is_up || tail -5 "$room/nspawn.log"
  pid=$(nspawn_pid)
  host_end ve-shop 6
  nsenter -t "$pid" -n ip -batch - <<'END'
link set lo up
address add 198.19.6.2/30 dev host0
link set host0 up
route add default via 198.19.6.1
END
  row nspawn '{container: shop, runtime: nspawn}' "$pid" nspawn shop "systemd-nspawn --network-veth, not registered"
  end_last
}

# The network namespace is there before host0 is.
nspawn_is_up() { nsenter -t "$(nspawn_pid)" -n ip link show host0 2>/dev/null | grep -q host0; }

# A service manager of its own: --user, so that it need not be pid 1.
unit_row() {
  wanted unit || return 0
  veth shop 7
  room_cgroup "$room" manager
  "$inside" mkdir -p /run/systemd/system "$manager_dir" # the first says: systemd runs here
  XDG_RUNTIME_DIR=$manager_dir ROOM_CGROUP=manager in_background manager /usr/lib/systemd/systemd --user
  wait_until 10 "$inside" test -S "$manager_dir/systemd/private" || tail -5 "$room/manager.log"
  manager systemd-run --quiet --user --unit=shop.service --property=NetworkNamespacePath=/run/netns/shop \
    "$python" "$demo_dir/client.py" --base-url "http://$server_address:18080" --runs-dir "$work/runs" --workers 8
  row unit '{unit: shop.service}' "$(manager systemctl --user show --property=MainPID --value shop.service)" systemd "" \
    "systemd --user, NetworkNamespacePath"
  manager systemctl --user stop shop.service
  end_last
  no_veth shop
}

mkdir -p "$out" "$work/runs"
make_rootfs "$work/rootfs"
mkdir "$work/rootfs/sys"
census "$work/before"
enter engines
in_background containerd containerd # where every client looks for it
wait_until 10 "$inside" ctr version >/dev/null 2>&1 || { tail -5 "$room/containerd.log"; flunk "containerd did not start"; finish; }
docker_rows
podman_row
containerd_rows
oci_row runc 2
oci_row crun 3
plain_rows
enter machines host_cgroups
lxc_row
nspawn_row
unit_row
printf 'podman, rootless\t{container: shop, runtime: podman}\t-\tno\tno\t-\t-\t%s\n' \
  "not tried: no veth, but slirp4netns or pasta" >>"$rows"
everything_down
expect "the machine is as before" census_equal "$work/before"
[[ -n ${TARGETS_ONLY:-}${TARGETS_BY_PID:-} ]] ||
  expect "docs/targets.md has this matrix" "$support/targets_table.py" "$rows" "$support/../../docs/targets.md"
finish
