# Builds the benches, optimised, and runs one. To be sourced.
# shellcheck shell=bash source-path=SCRIPTDIR
# shellcheck source=../scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

# run_bench SUITE [OPTION...]
run_bench() {
  need_root "it makes network namespaces and loads BPF programs"
  require_btf
  # shellcheck disable=SC2154 # of common.sh
  local build=$repo_root/build/bench
  mkdir -p "$build"
  say "building $build"
  cmake -S "$repo_root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$build/configure.log" 2>&1 ||
    die "cannot configure; see $build/configure.log (scripts/build installs what is needed)"
  cmake --build "$build" --target brownout_bench >"$build/build.log" 2>&1 || die "cannot build; see $build/build.log"
  "$build/bench/brownout_bench" "$@"
}
