# A real container with the sample API client in it, and the sample server outside, for the demo
# and the container tests. To be sourced after common.sh.
#
# Everything about one container is in the files of one directory, so that any process can use it
# or take it down, also after the one that made it has died:
#
#   container_reserve  DIR PREFIX             takes an id and a network; makes the veth pair
#   server_start       DIR [ARG...]           starts examples/demo/server.py on the host's end
#   container_create   DIR NAME COMMAND...    makes the rootfs and creates the container, networked
#   container_start    DIR                    lets its COMMAND run
#   sample_app_up      DIR PREFIX [ARG...]    all of the above; ARGs go to examples/demo/client.py
#   sample_app_ready   DIR                    true when the client's run directory shows answered calls
#   container_exec     DIR COMMAND...         runs COMMAND in it
#   container_down     DIR                    removes all of it, and DIR
#
# Call them plainly (not in a condition), under `set -e`: they stop the script with one clear line.
#
# What the directory holds (container_get DIR KEY VARIABLE reads a line of it):
#
#   id, name, link     link is the host's end of the veth pair; the container's end is eth0
#   server, client     IPv4 addresses: the host's end, where the server listens, and eth0's
#   port, server_pid   of the server
#   pid                of the container's first process, in the host's pid namespace
#   runs/              the client's runs directory (/runs in the container); STOP in it ends a run
#   runc/              the root directory of runc (runc --root)
#   server.log, container.log
# shellcheck shell=bash disable=SC2154

demo_dir=$repo_root/examples/demo
python=/usr/bin/python3

# No command substitution here, nor in any function that runs while a script has traps: when a
# signal comes during one, bash 5.2 can fail to parse the trap's own text, and loses the signal.
container_get() { read -r "$3" <"$1/$2" || [[ -n ${!3} ]]; } # runc ends no line

container_set() { printf '%s\n' "$3" >"$1/$2"; }

# --- network ---

# The id is the number of a /30 in 198.18.0.0/15 (set aside for tests of network devices), and
# names the device: the kernel refuses a second device of that name, so a network has one owner.
container_reserve() {
  local dir=$1 prefix=$2 attempt id address
  mkdir -p "$dir/runs" "$dir/runc"
  for ((attempt = 0; attempt < 64; attempt++)); do
    printf -v id '%04x' $((SRANDOM % 32768))
    network_is_free "$id" || continue
    ip link add "$prefix$id" type veth peer name "$prefix${id}c" 2>"$dir/veth.log" || continue
    container_set "$dir" link "$prefix$id"
    container_set "$dir" id "$id"
    host_of_network "$id" 1 address
    container_set "$dir" server "$address"
    host_of_network "$id" 2 address
    container_set "$dir" client "$address"
    configure_host_end "$dir"
    return
  done
  die "could not make a veth pair: $(tail -n 1 "$dir/veth.log" 2>/dev/null || echo 'no network is free')"
}

# host_of_network ID N VARIABLE: the address of the N-th host in the network.
host_of_network() {
  local number=$((0x$1 * 4 + $2))
  printf -v "$3" '198.%d.%d.%d' $((18 + (number >> 16))) $((number >> 8 & 255)) $((number & 255))
}

# Neither an address in it, nor a route into it or around it, except the default route.
network_is_free() {
  local network
  host_of_network "$1" 0 network
  ! {
    ip -4 address show to "$network/30"
    ip -4 route show table all root "$network/30"
    ip -4 route show table all match "$network/30"
  } | grep -v '^default' >/dev/null
}

configure_host_end() {
  local link address
  container_get "$1" link link
  container_get "$1" server address
  no_ipv6_chatter ip link set "$link" addrgenmode none
  ip address add "$address/30" dev "$link"
  ip link set "$link" up
}

# Static configuration from outside: the container has neither the tools nor the rights.
configure_container_end() {
  local pid link address
  container_get "$1" pid pid
  container_get "$1" link link
  container_get "$1" client address
  ip link set "${link}c" netns "$pid" name eth0
  no_ipv6_chatter nsenter -t "$pid" -n ip link set eth0 addrgenmode none
  nsenter -t "$pid" -n ip -batch - <<END
link set lo up
address add $address/30 dev eth0
link set eth0 up
END
}

# A kernel without IPv6 refuses the setting, and does not need it.
no_ipv6_chatter() { "$@" 2>/dev/null || true; }

# --- server ---

server_start() {
  local dir=$1 address port
  shift
  container_get "$dir" server address
  # In a session of its own: the terminal's Ctrl-C must not take it away before the run has ended.
  setsid env --default-signal "$python" "$demo_dir/server.py" "$address" 0 "$@" \
    </dev/null >"$dir/server.log" 2>&1 &
  container_set "$dir" server_pid $!
  wait_until 10 server_is_ready "$dir" || die "the sample server did not start: $(tail -n 1 "$dir/server.log")"
  read -r _ _ port <"$dir/server.log"
  container_set "$dir" port "$port"
}

server_is_ready() { grep -qs '^ready ' "$1/server.log"; }

# Its address is in its command line, and in nobody else's: a pid that was given anew is left alone.
server_is_alive() {
  local pid address
  container_get "$1" server_pid pid
  container_get "$1" server address
  grep -qsF "$address" "/proc/$pid/cmdline"
}

server_is_gone() { ! server_is_alive "$1"; }

server_stop() {
  local dir=$1 signal pid
  [[ -e $dir/server_pid ]] || return 0
  container_get "$dir" server_pid pid
  for signal in TERM KILL; do
    server_is_alive "$dir" || break
    kill -"$signal" "$pid" 2>/dev/null || true
    wait_until 2 server_is_gone "$dir" || true
  done
  rm -f "$dir/server_pid"
}

# --- container ---

container_create() {
  local dir=$1 name=$2
  shift 2
  container_set "$dir" name "$name"
  make_rootfs "$dir/rootfs"
  container_config "$dir" "$name" "$@" >"$dir/config.json"
  runc --root "$dir/runc" create --bundle "$dir" --pid-file "$dir/pid" "$name" \
    </dev/null >"$dir/container.log" 2>&1 ||
    die "runc could not create the container: $(tail -n 1 "$dir/container.log")"
  configure_container_end "$dir"
}

container_start() {
  local name
  container_get "$1" name name
  runc --root "$1/runc" start "$name"
}

container_exec() {
  local dir=$1 name
  shift
  container_get "$dir" name name
  runc --root "$dir/runc" exec "$name" "$@"
}

# No image is needed: the machine's own /usr, read-only, has Python.
make_rootfs() {
  local root=$1 name
  mkdir -p "$root"/{usr,etc,app,runs,proc,dev,tmp}
  for name in bin sbin lib lib32 lib64 libx32; do
    [[ ! -L /$name ]] || ln -sfn "usr/$name" "$root/$name"
  done
  echo 'root:x:0:0:root:/tmp:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
  echo '127.0.0.1 localhost' >"$root/etc/hosts"
}

# The bundle's config.json. /usr/sbin is masked, so that there is no tc; the one capability lets
# root read a checkout that belongs to somebody else.
container_config() {
  "$python" - "$demo_dir" "$@" <<'PYTHON'
import json
import os
import sys

demo_dir, directory, name, *command = sys.argv[1:]
capabilities = ["CAP_DAC_OVERRIDE"]


def bind(source, target, *options):
    return {"destination": target, "type": "bind", "source": source,
            "options": ["bind", "nosuid", "nodev", *options]}


def tmpfs(target, mode):
    return {"destination": target, "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", f"mode={mode}", "size=16m"]}


# What the dynamic linker and Python's TLS module look up outside /usr.
etc = [path for path in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/certs") if os.path.exists(path)]

json.dump({
    "ociVersion": "1.0.2",
    "process": {
        "args": command,
        "cwd": "/tmp",
        "env": ["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/tmp"],
        "user": {"uid": 0, "gid": 0},
        "capabilities": {kind: capabilities for kind in ("bounding", "effective", "permitted")},
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": True},
    "hostname": name,
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        tmpfs("/dev", "755"),
        tmpfs("/tmp", "1777"),
        bind("/usr", "/usr", "ro"),
        bind(demo_dir, "/app", "ro"),
        bind(f"{directory}/runs", "/runs", "rw"),
        *[bind(path, path, "ro") for path in etc],
    ],
    "linux": {
        "cgroupsPath": f"/{name}",
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "maskedPaths": ["/usr/sbin", "/proc/kcore", "/proc/keys", "/proc/timer_list"],
        "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"],
    },
}, sys.stdout, indent=1)
PYTHON
}

# --- the sample app, all of it ---

# sample_app_up DIR PREFIX [CLIENT_ARG...]: PREFIX (at most 9 characters) begins the device's name.
sample_app_up() {
  local dir=$1 prefix=$2 id server port
  shift 2
  container_reserve "$dir" "$prefix"
  server_start "$dir"
  container_get "$dir" id id
  container_get "$dir" server server
  container_get "$dir" port port
  container_create "$dir" "brownout-demo-$id" \
    "$python" /app/client.py --base-url "http://$server:$port" \
    --runs-dir /runs --stop-file /runs/STOP "$@"
  container_start "$dir"
}

# sample_app_ready DIR [any]: the fingerprint is there and shows answered calls; `any`: it is there.
sample_app_ready() {
  local pattern='"count": [1-9]'
  [[ ${2:-} != any ]] || pattern='"count": '
  grep -qsE "$pattern" "$1"/runs/run_*/execution_fingerprint.json
}

# --- taking it down ---

# Goes on whatever fails, may be called at any stage, and again.
container_down() {
  local dir=$1 name link
  [[ -d $dir ]] || return 0
  if [[ -e $dir/name ]]; then
    container_get "$dir" name name
    runc --root "$dir/runc" delete --force "$name" >/dev/null 2>&1 || true
    remove_cgroups "$name"
  fi
  server_stop "$dir"
  if [[ -e $dir/link ]]; then
    container_get "$dir" link link
    # With one end goes the other; the container's end may have taken both with it already.
    ip link delete "$link" 2>/dev/null || true
  fi
  rm -rf --one-file-system "$dir"
}

# runc removes the container's cgroups from the unified hierarchy and every v1 controller; this is
# for what it left when it was interrupted.
remove_cgroups() {
  local mount
  while read -r mount; do
    [[ ! -d $mount/$1 ]] || rmdir "$mount/$1" 2>/dev/null || say "could not remove the cgroup $mount/$1"
  done < <(awk '$(NF - 2) ~ /^cgroup2?$/ { print $5 }' /proc/self/mountinfo)
}
