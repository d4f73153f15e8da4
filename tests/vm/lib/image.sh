# Makes the guest's initramfs: a shell, the network's tools, brownout and the suite. To be sourced.
# shellcheck shell=bash disable=SC2154
#
# An initramfs may be several archives in a row: tools, which rarely change; what is tested; the kernel's modules.

vm_tools=(bash jq ip tc ss)

# make_image KERNEL BROWNOUT OUTPUT
make_image() {
  local kernel=$1 brownout=$2 output=$3 root
  make_tools || return
  root=$(mktemp -d)
  make_subject "$root" "$kernel" "$brownout" &&
    cp -r "$vm_cache/$kernel/kernel/modules" "$root/modules" &&
    pack "$root" "$output.rest" &&
    cat "$vm_cache/tools.cpio.gz" "$output.rest" >"$output"
  local status=$?
  rm -rf "$root" "$output.rest"
  return "$status"
}

make_tools() {
  local archive=$vm_cache/tools.cpio.gz root tool lock newest
  exec {lock}>"$vm_cache/tools.lock"
  flock "$lock"
  newest=$(for tool in busybox bpftool "${vm_tools[@]}"; do command -v "$tool"; done | xargs -d '\n' readlink -f | xargs -d '\n' ls -t | head -n 1)
  if [[ ! $archive -nt $newest || ! $archive -nt $vm_lib/image.sh ]]; then
    root=$(mktemp -d)
    mkdir -p "$root"/{bin,usr/bin,sbin,etc,proc,sys,dev,run,tmp,root,var/tmp}
    cp "$(command -v busybox)" "$root/bin/busybox"
    for tool in "${vm_tools[@]}"; do add_program "$root" "$(command -v "$tool")" "$root/bin/$tool" || return; done
    # For the census. Where brownout looks for tools it is not: it reads all BTF, which takes an emulated CPU seconds of a drill.
    install -d "$root/census"
    add_program "$root" "$(command -v bpftool)" "$root/census/bpftool" || return
    install -d "$root/usr/lib/locale"
    cp -r /usr/lib/locale/C.utf8 "$root/usr/lib/locale/" || return # as every host with glibc has it
    printf 'root:x:0:0:root:/root:/bin/bash\n' >"$root/etc/passwd"
    printf 'root:x:0:\n' >"$root/etc/group"
    pack "$root" "$archive"
    rm -rf "$root"
  fi
  exec {lock}>&-
}

make_subject() {
  local root=$1 kernel=$2 brownout=$3 file
  mkdir -p "$root"/{bin,suite,extra}
  cp "$vm_dir/guest/init" "$root/init"
  cp -r "$vm_dir"/suite/. "$root/suite/"
  cp "$vm_dir"/../support/{check,census}.sh "$root/suite/"
  "$vm_lib/kernels.py" "$kernel" --json >"$root/suite/expected.json"
  add_program "$root" "$brownout" "$root/bin/brownout" || return
  for file in "$vm_app" "$vm_tests" ${BROWNOUT_VM_EXTRA:-}; do
    add_program "$root" "$file" "$root/extra/$(basename "$file")" || return
  done
  printf '%q ' "${vm_command[@]}" >"$root/suite/.command"
}

# add_program ROOT FILE TARGET: a program with the libraries it is linked to, where the loader looks for them.
add_program() {
  local root=$1 file=$2 target=$3 library
  [[ -e $file ]] || { say "vm: there is no $file"; return 1; }
  cp -L "$file" "$target"
  [[ $(head -c 4 "$file" | tail -c 3) == ELF ]] || return 0
  strip --strip-debug "$target" 2>/dev/null # debugging information would be most of the image
  while read -r library; do
    [[ -e $root$library ]] || install -D "$library" "$root$library"
  done < <(ldd "$file" 2>/dev/null | grep -oE '/[^ ]+\.so[^ ]*')
}

pack() { (cd "$1" && find . -print0 | cpio --null --create --format=newc --owner=0:0 --quiet | gzip -1) >"$2"; }
