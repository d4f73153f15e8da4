# Builds the benches, optimised, and runs one. To be sourced.
# shellcheck shell=bash source-path=SCRIPTDIR
# shellcheck source=../scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

# build_bench TARGET [CMAKE_OPTION...]: optimised, in $bench_build.
build_bench() {
  local target=$1
  shift
  require_btf
  # shellcheck disable=SC2154 # of common.sh
  bench_build=$repo_root/build/bench
  mkdir -p "$bench_build"
  say "building $target in $bench_build"
  cmake -S "$repo_root" -B "$bench_build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_UNITY_BUILD=ON "$@" >"$bench_build/configure.log" 2>&1 ||
    die "cannot configure; see $bench_build/configure.log (scripts/build installs what is needed)"
  cmake --build "$bench_build" --target "$target" >"$bench_build/build.log" 2>&1 ||
    die "cannot build; see $bench_build/build.log"
}

# run_bench SUITE [OPTION...]
run_bench() {
  need_root "it makes network namespaces and loads BPF programs"
  build_bench brownout_bench
  "$bench_build/bench/brownout_bench" "$@"
}
