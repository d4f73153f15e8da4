# Boots a kernel in QEMU without KVM. To be sourced.
# shellcheck shell=bash disable=SC2154
#
# The first serial line is the kernel's console and goes to a file; the second carries the suite's output. Whatever the
# guest does, the virtual machine ends by its timeout.

# boot_kernel KERNEL IMAGE CONSOLE TIMEOUT: the suite's exit status; 124: no end within TIMEOUT, 125: died without one.
boot_kernel() {
  local kernel=$1 image=$2 console=$3 seconds=$4 status=125 line
  local qemu=(timeout --kill-after=5 "$seconds" qemu-system-x86_64
    -machine pc -accel "tcg,thread=multi" -cpu max -smp 2 -m 1024
    -nodefaults -no-user-config -display none -no-reboot
    -kernel "$vm_cache/$kernel/kernel/vmlinuz" -initrd "$image"
    -append "console=ttyS0 loglevel=5 panic=-1 panic_on_oops=1 mitigations=off"
    -serial "file:$console" -serial stdio)
  exec {output}< <("${qemu[@]}" </dev/null; echo "brownout-vm: qemu $?")
  while IFS= read -r line <&"$output"; do
    line=${line%$'\r'}
    case $line in
      "brownout-vm: exit "*) status=${line##* } ;;
      "brownout-vm: qemu "*) [[ ${line##* } != 124 ]] || status=124 ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
  exec {output}<&-
  return "$status"
}
