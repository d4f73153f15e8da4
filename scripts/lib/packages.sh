# Installs the distribution packages that brownout is built, run and tested with. To be sourced
# after common.sh. Debian 12 and 13 and Ubuntu 24.04 are known; nothing is installed twice.
# shellcheck shell=bash

base_packages=(
  g++ cmake ninja-build pkg-config clang-19 libbpf-dev bpftool libelf-dev zlib1g-dev libcli11-dev
  libyaml-cpp-dev nlohmann-json3-dev libarchive-dev libre2-dev libssl-dev libfmt-dev libspdlog-dev
  libboost-dev libseccomp-dev catch2 linux-libc-dev runc iproute2 python3 python3-requests libjs-dygraphs
)
test_packages=(
  python3-jsonschema python3-yaml python3-junitparser python3-prometheus-client busybox-static jq iputils-ping
  iperf3 docker.io qemu-system-x86 cpio xz-utils zstd tmux strace openssh-client openssl chromium
  tcpdump curl e2fsprogs podman crun lxc systemd-container
)

# The oldest version that will do, where a supported distribution carries an older one too:
# tcx links (libbpf, kernel headers), BPF skeletons of them (bpftool), Catch2 v3.
declare -A minimum_version=(
  [libbpf-dev]=1:1.3 [bpftool]=7.3 [linux-libc-dev]=6.6 [catch2]=3
)

# Tools count as present when the command is there, wherever it came from: a docker or runc of
# another vendor must not be replaced.
declare -A command_of=(
  [g++]=g++ [cmake]=cmake [ninja-build]=ninja [pkg-config]=pkg-config [runc]=runc
  [iproute2]=ip [python3]=/usr/bin/python3 [jq]=jq [iputils-ping]=ping [iperf3]=iperf3
  [openssh-client]=ssh-keygen [openssl]=openssl [docker.io]=dockerd [qemu-system-x86]=qemu-system-x86_64
  [chromium]=chromium [tcpdump]=tcpdump [curl]=curl [e2fsprogs]=chattr
  [podman]=podman [crun]=crun [lxc]=lxc-start [systemd-container]=systemd-nspawn
)

oldest_clang=15
oldest_gxx=12

# shellcheck disable=SC2120 # the argument comes from scripts/test
# ensure_packages [test]: installs what is missing; sets CLANG to the clang for the BPF objects.
ensure_packages() {
  local wanted=("${base_packages[@]}") missing=() package
  [[ ${1:-} != test ]] || wanted+=("${test_packages[@]}")
  require_apt
  read_installed "${wanted[@]}"
  for package in "${wanted[@]}"; do
    have_package "$package" || missing+=("$package")
  done
  if ((${#missing[@]})); then
    install_packages "${missing[@]}"
  fi
  use_clang || die "no clang of version $oldest_clang or newer is installed"
  use_bpftool || die "bpftool is installed, but does not run"
  require_gxx
}

require_apt() {
  command -v apt-get dpkg-query >/dev/null ||
    die "cannot install packages: apt is missing (Debian 12, 13 and Ubuntu 24.04 are supported)"
}

declare -A installed_version=()

# One dpkg-query for all of them keeps the usual case, nothing to do, fast.
read_installed() {
  local status package version
  installed_version=()
  while read -r status package version; do
    [[ $status != installed ]] || installed_version[$package]=$version
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' "$@" 2>/dev/null || true)
}

have_package() {
  local version=${installed_version[$1]:-} minimum=${minimum_version[$1]:-}
  case $1 in
    clang-19) use_clang && return ;;
    bpftool) [[ -n $version ]] || { use_bpftool && return; } ;;
    # Ubuntu's is a snap: its test is skipped there.
    chromium) [[ $(. /etc/os-release && echo "$ID") != ubuntu ]] || return 0 ;;
  esac
  if [[ -n $version ]]; then
    [[ -z $minimum ]] || dpkg --compare-versions "$version" ge "$minimum"
  else
    [[ -n ${command_of[$1]:-} ]] && command -v "${command_of[$1]}" >/dev/null
  fi
}

# Prefers the version that the project is tested with, else takes the newest.
use_clang() {
  local candidate
  for candidate in clang-19 $(compgen -c clang- | grep -E '^clang-[0-9]+$' | sort -t- -k2,2nr -u); do
    if command -v "$candidate" >/dev/null && ((${candidate#clang-} >= oldest_clang)); then
      export CLANG=$candidate
      return
    fi
  done
  return 1
}

# Ubuntu's bpftool is a wrapper that only finds the tool of the running kernel; any version of it
# will do here, so the newest goes first in PATH.
use_bpftool() {
  bpftool version >/dev/null 2>&1 && return
  local found
  found=$(compgen -G '/usr/lib/linux-tools/*/bpftool' | sort -V | tail -n 1) || return
  [[ -n $found ]] && "$found" version >/dev/null 2>&1 || return
  export PATH=${found%/*}:$PATH
}

require_gxx() {
  local version
  version=$(g++ -dumpversion 2>/dev/null) || die "there is no g++: C++23 needs version $oldest_gxx or newer"
  ((${version%%.*} >= oldest_gxx)) ||
    die "g++ is version $version: C++23 needs $oldest_gxx or newer; install one and put it first in PATH"
}

install_packages() {
  ((EUID == 0)) || die "cannot install packages, not root; missing: $*"
  [[ $(. /etc/os-release && echo "$ID/${VERSION_CODENAME:-}") != debian/bookworm ]] || enable_backports
  local log refreshed=yes choices
  log=$(mktemp)
  say "refreshing the package lists"
  apt_get -o APT::Update::Error-Mode=any update >"$log" 2>&1 || refreshed=no
  mapfile -t choices < <(choose_versions "$@")
  say "installing: ${choices[*]}"
  forbid_service_start
  if ! apt_get install -y --no-install-recommends --no-remove "${choices[@]}" >"$log" 2>&1; then
    local why
    why=$(grep -m 1 '^E: ' "$log" || tail -n 1 "$log")
    allow_service_start
    rm -f "$log"
    [[ $refreshed == yes ]] || why="the package lists could not be refreshed (no network?); $why"
    die "could not install these packages: $why"
  fi
  allow_service_start
  rm -f "$log"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# choose_versions PACKAGE...: what to ask apt for, one a line. It answers for the names that differ
# between distributions, and takes from backports only what is too old without.
choose_versions() {
  local package
  for package in "$@"; do
    case $package in
      clang-19) if has_candidate clang-19; then echo clang-19; else newest_clang_package; fi ;;
      bpftool) if has_candidate bpftool; then with_suite bpftool; else ubuntu_bpftool; fi ;;
      *) with_suite "$package" ;;
    esac
  done
}

candidate_version() {
  LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: //p' | grep -vFx '(none)'
}

has_candidate() { candidate_version "$1" >/dev/null; }

ubuntu_bpftool() { printf '%s\n' linux-tools-common linux-tools-generic; }

newest_clang_package() {
  apt-cache pkgnames clang- | grep -E '^clang-[0-9]+$' | sort -t- -k2,2n | tail -n 1
}

with_suite() {
  local minimum=${minimum_version[$1]:-} candidate
  candidate=$(candidate_version "$1") || candidate=
  if [[ -n $minimum && -n $candidate && -n ${backports_suite:-} ]] &&
    dpkg --compare-versions "$candidate" lt "$minimum"; then
    echo "$1/$backports_suite"
  else
    echo "$1"
  fi
}

# Debian 12 has libbpf, bpftool, Catch2 and kernel headers new enough in its backports suite only.
# Where that comes from is the machine's business: its own sources say it, and are copied with the
# suite replaced.
enable_backports() {
  backports_suite=bookworm-backports
  local sources=/etc/apt/sources.list.d/brownout-backports
  grep -rqsE "^[^#]*[[:space:]]$backports_suite([[:space:]]|$)" \
    /etc/apt/sources.list /etc/apt/sources.list.d --include='*.list' --include='*.sources' && return
  local stanza line
  stanza=$(backports_stanza /etc/apt/sources.list.d/*.sources)
  line=$(backports_line /etc/apt/sources.list /etc/apt/sources.list.d/*.list)
  if [[ -n $stanza ]]; then
    printf '%s\n' "$stanza" >"$sources.sources"
  elif [[ -n $line ]]; then
    printf '%s\n' "$line" >"$sources.list"
  else
    die "cannot enable $backports_suite: no source of suite bookworm in /etc/apt"
  fi
  say "enabled $backports_suite from this machine's own sources ($sources.*)"
}

# The first enabled deb822 stanza of the main suite (not security, not updates alone).
backports_stanza() {
  print_files "$@" | awk -v suite="$backports_suite" 'BEGIN { RS = ""; FS = "\n" }
    found || /(^|\n)Enabled:[ \t]*no/ || !/(^|\n)Types:[^\n]*[ \t]deb([ \t\n]|$)/ { next }
    /(^|\n)Suites:[^\n]*[ \t]bookworm([ \t\n]|$)/ {
      found = 1
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^#/) continue
        if ($i ~ /^Suites:/) $i = "Suites: " suite
        if ($i ~ /^Types:/) $i = "Types: deb"
        print $i
      }
    }'
}

# The first one-line source of the main suite.
backports_line() {
  print_files "$@" | awk -v suite="$backports_suite" '
    !found && /^[ \t]*deb[ \t]/ && sub(/[ \t]bookworm[ \t]/, " " suite " ") { found = 1; print }'
}

# Those that exist, parted by blank lines.
print_files() {
  local file
  for file in "$@"; do
    [[ ! -r $file ]] || { cat "$file"; echo; }
  done
}

# Installing must start no service on the machine: the tests start engines themselves, in private namespaces, and lxc
# would bring a bridge (lxc-net), podman its API.
policy_file=/usr/sbin/policy-rc.d
policy_is_ours=no

forbid_service_start() {
  [[ ! -e $policy_file ]] || return 0
  printf '#!/bin/sh\nexit 101\n' >"$policy_file"
  chmod 755 "$policy_file"
  policy_is_ours=yes
}

allow_service_start() {
  [[ $policy_is_ours == no ]] || rm -f "$policy_file"
  policy_is_ours=no
}
