# Fetches a kernel of Debian as packages, without touching the machine's own package manager state: lists, cache and
# sources are private, signatures and checksums are checked by apt as always. To be sourced.
# shellcheck shell=bash disable=SC2154
#
# vm_cache/KERNEL/apt        the private state
# vm_cache/KERNEL/packages   the packages as fetched
# vm_cache/KERNEL/kernel     vmlinuz, modules/*.ko, and `packages`: what they were unpacked from

vm_modules=(veth tun ifb sch_ingress cls_bpf act_bpf act_mirred sch_fq sch_netem)
lists_fresh_minutes=$((24 * 60))

# fetch_kernel KERNEL: false, with the reason in fetch_problem, where it cannot be had.
fetch_kernel() {
  local kernel=$1 dir=$vm_cache/$1 lock
  mkdir -p "$dir"
  exec {lock}>"$dir/lock"
  flock "$lock"
  fetch_locked "$kernel" "$dir"
  local status=$?
  exec {lock}>&-
  return "$status"
}

fetch_locked() {
  local kernel=$1 dir=$2 image packages
  fetch_problem=
  [[ $(dpkg --print-architecture) == amd64 ]] || { fetch_problem="the kernels fetched are for amd64"; return 1; }
  private_apt "$kernel" "$dir/apt" || return
  refresh_lists "$dir/apt"
  image=$(newest_image "$kernel")
  if [[ -z $image ]]; then
    fetch_problem="no package $("$vm_lib/kernels.py" "$kernel" package)${refresh_problem:+ ($refresh_problem)}"
    return 1
  fi
  mapfile -t packages < <(packages_of "$image")
  download "$dir/packages" "${packages[@]}" || return
  unpack_kernel "$dir"
}

# Hooks of the machine (cleaners, caches of desktop programs) have no business here, its proxies have.
private_apt() {
  local dir=$2 suites
  mkdir -p "$dir"/{state/lists/partial,cache/archives/partial,sources.d,conf.d}
  : >"$dir/status"
  mapfile -t suites < <("$vm_lib/kernels.py" "$1" suites)
  fetch_problem=$("$vm_lib/sources.py" "${suites[@]}" 2>&1 >"$dir/private.sources") || return 1
  ln -sf /etc/apt/apt.conf.d/* "$dir/conf.d/" 2>/dev/null
  cat >"$dir/conf.d/zz-private" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
  cat >"$dir/apt.conf" <<CONF
Dir::State "$dir/state";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
Dir::Etc::sourcelist "$dir/private.sources";
Dir::Etc::sourceparts "$dir/sources.d";
Dir::Etc::parts "$dir/conf.d";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::Retries "2";
CONF
  export APT_CONFIG=$dir/apt.conf
}

# A list that cannot be refreshed is no failure as long as the old one names the kernel.
refresh_lists() {
  local dir=$1 said
  refresh_problem=
  if [[ -e $dir/refreshed && -z $(find "$dir/refreshed" -mmin +"$lists_fresh_minutes") &&
    ! $dir/private.sources -nt $dir/refreshed ]]; then
    return
  fi
  if said=$(LC_ALL=C apt-get -q update 2>&1); then
    touch "$dir/refreshed"
  else
    refresh_problem=$(grep -m 1 '^E: ' <<<"$said")
    say "vm: the package lists of kernel $kernel could not all be refreshed: $refresh_problem"
  fi
}

newest_image() {
  local pattern name
  pattern=$("$vm_lib/kernels.py" "$1" package)
  while read -r name; do
    # shellcheck disable=SC2053 # a pattern is meant
    [[ $name != $pattern ]] || echo "$name"
  done < <(apt-cache pkgnames linux-image-) | sort -V | tail -n 1
}

# Newer packages keep the kernel and its modules in packages of their own.
packages_of() {
  echo "$1"
  LC_ALL=C apt-cache depends --important "$1" | sed -nE 's/^ *Depends: (linux-(binary|modules)-.*)$/\1/p'
}

# apt takes a file that is there already only if its checksum is the one of the signed list.
download() {
  local dir=$1 said name
  shift
  mkdir -p "$dir"
  if ! said=$(cd "$dir" && LC_ALL=C apt-get -q download "$@" 2>&1); then
    fetch_problem="$* could not be fetched: $(grep -m 1 '^E: ' <<<"$said")"
    return 1
  fi
  # What an earlier version left behind would be unpacked too.
  find "$dir" -name '*.deb' -print0 | while IFS= read -r -d '' name; do
    [[ " $* " == *" $(basename "${name%%_*}") "* && $(package_version "$name") == "$(candidate_of "$name")" ]] || rm -f "$name"
  done
}

package_version() { dpkg-deb --field "$1" Version; }
candidate_of() { LC_ALL=C apt-cache policy "$(dpkg-deb --field "$1" Package)" | sed -n 's/^  Candidate: //p'; }

unpack_kernel() {
  local dir=$1 package module file wanted
  wanted=$(cd "$dir/packages" && printf '%s\n' *.deb && echo "${vm_modules[*]}")
  [[ $(cat "$dir/kernel/packages" 2>/dev/null) != "$wanted" ]] || return 0
  rm -rf "$dir/unpacked" "$dir/kernel"
  mkdir -p "$dir/unpacked" "$dir/kernel/modules"
  for package in "$dir"/packages/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$dir/unpacked" --exclude='./usr/share/doc*' --wildcards \
      './boot/*' './usr/lib/modules/*' './lib/modules/*' 2>/dev/null # not every package has all of them
  done
  file=$(find "$dir/unpacked" -name 'vmlinuz*' -type f | head -n 1)
  [[ -n $file ]] || { fetch_problem="there is no vmlinuz in ${wanted%%$'\n'*}"; return 1; }
  cp "$file" "$dir/kernel/vmlinuz"
  for module in "${vm_modules[@]}"; do
    file=$(find "$dir/unpacked" -name "$module.ko*" -type f | head -n 1)
    case $file in
      *.ko) cp "$file" "$dir/kernel/modules/" ;;
      *.xz) xz -dc "$file" >"$dir/kernel/modules/$module.ko" ;;
      *.zst) zstd -qdc "$file" >"$dir/kernel/modules/$module.ko" ;;
      *) fetch_problem="there is no module $module in ${wanted%%$'\n'*}"; return 1 ;;
    esac
  done
  rm -rf "$dir/unpacked"
  echo "$wanted" >"$dir/kernel/packages"
}
