#!/usr/bin/env bash
# A drill against a Docker container by its name: dockerd runs in namespaces and a cgroup subtree of its own.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"
. "$support/room.sh"

[[ -x /usr/sbin/dockerd ]] || { flunk "dockerd is not installed; scripts/test installs it"; finish; }
engine=$work/engine
inside=$engine/in
daemon= server_inside=

engine_down() {
  [[ -z $daemon ]] || docker_cli rm -f bocont >/dev/null 2>&1
  end_process "$server_inside"
  end_process "$daemon" # waited for: its data must not be deleted under it
  server_inside= daemon=
  room_down "$engine"
}
trap 'engine_down; tear_down' EXIT

docker_cli() { DOCKER_HOST=unix://$engine/docker.sock /usr/bin/docker "$@"; }

start_engine() {
  echo '{}' >"$engine/daemon.json"
  "$inside" /usr/sbin/dockerd --data-root "$engine/data" --exec-root "$engine/exec" --pidfile "$engine/pid" \
    -H "unix://$engine/docker.sock" --exec-opt native.cgroupdriver=cgroupfs --config-file "$engine/daemon.json" \
    >"$engine/log" 2>&1 &
  daemon=$!
  wait_until 20 docker_cli version >/dev/null 2>&1 || { tail -5 "$engine/log"; flunk "dockerd did not start"; finish; }
}

start_container() {
  make_rootfs "$engine/rootfs"
  tar -C "$engine/rootfs" -c . | docker_cli import - sample:1 >/dev/null
  mkdir -p "$app/runs"
  local gateway
  gateway=$("$inside" ip -4 -j address show docker0 | jq -r '.[0].addr_info[0].local')
  "$inside" "$python" "$demo_dir/server.py" "$gateway" 18080 >"$engine/server.log" 2>&1 &
  server_inside=$!
  wait_until 5 grep -q ready "$engine/server.log" || { flunk "no server"; finish; }
  docker_cli run -d --name bocont --label ticket=OPS-1 -v /usr:/usr:ro -v "$demo_dir:/app:ro" -v "$app/runs:/runs" \
    --tmpfs /tmp sample:1 /usr/bin/python3 /app/client.py --base-url "http://$gateway:18080" \
    --runs-dir /runs --stop-file /runs/STOP >/dev/null || { flunk "docker run"; finish; }
  wait_until 10 sample_app_ready "$app" || { docker_cli logs bocont 2>&1 | tail -3; flunk "the client has no answers"; finish; }
}

census "$work/before"
room_up "$engine"
start_engine
start_container
mkdir -p "$out"
cat >"$work/DOCKER.yaml" <<YAML
brownout: 1
name: DOCKER
target: {container: bocont}
app: {run_dir: "$app/runs/run_*", process: {comm: python3}}
pressure: {min_calls: 10, within: 10s, timeout: 15s}
phases: {baseline: 5s, inject: 15s, recovery: 5s}
faults:
  - latency: {delay: 300ms}
    match: {direction: egress, protocol: tcp, port: 18080}
  - loss: {rate: 10%}
    match: {protocol: tcp, port: 18080}
YAML
DOCKER_HOST=unix://$engine/docker.sock "$inside" "$BROWNOUT" run "$work/DOCKER.yaml" --out "$out" --yes \
  >"$work/DOCKER.out" 2>"$work/DOCKER.err" </dev/null
status=$?
expect_status "a drill against a Docker container" 0 "$status"
((status == 0)) || show DOCKER
expect "PASS" test "$(verdict_of DOCKER)" = PASS
judged_again DOCKER
expect "the manifest has the image" jq -e '.target.image == "sample:1" and .target.labels.ticket == "OPS-1"' \
  <(in_bundle DOCKER manifest.json)
expect "the audit has tag and times of the image" jq -e '.audit.docker_image_tag.value == "1" and
  .audit.image.source == "docker: the container'"'"'s Config.Image" and (.audit.image_created.value | startswith("20"))' <(in_bundle DOCKER manifest.json)
expect "the container's layer was compared" jq -e 'any(.rules[]; (.rule | contains("own layer")) and
  .outcome == "respected")' <(in_bundle DOCKER manifest.json)
engine_down
expect "the machine is as before" census_equal "$work/before"
finish
