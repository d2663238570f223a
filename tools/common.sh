# Shared by the scripts of this project; to be sourced from the project's folder.
# shellcheck shell=bash

# Compilers that fit at once: one a CPU, and 2 GB of memory each (torch's headers are large). A
# container may have less of both than the machine.
build_jobs() {
  local cpus memory limit
  cpus=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 2e6) }' /proc/meminfo)
  limit=$(awk '$1 != "max" { print int($1 / $2) }' /sys/fs/cgroup/cpu.max 2>/dev/null || true)
  [ -z "$limit" ] || [ "$limit" -ge "$cpus" ] || cpus=$limit
  limit=$(awk '$1 != "max" { print int($1 / 2e9) }' /sys/fs/cgroup/memory.max 2>/dev/null || true)
  [ -z "$limit" ] || [ "$limit" -ge "$memory" ] || memory=$limit
  local jobs=$((cpus < memory ? cpus : memory))
  echo $((jobs > 1 ? jobs : 1))
}

# Temporary files of all that is started from here go to build/tmp, emptied now.
use_own_tmp() {
  rm -rf build/tmp
  mkdir -p build/tmp
  export TMPDIR=$PWD/build/tmp
}

# stage NAME COMMAND...: runs the command and says how long it took.
stage() {
  local name=$1 begin=$SECONDS status=0
  shift
  echo "== $name"
  "$@" || status=$?
  local took=$((SECONDS - begin))
  printf -- '-- %s: %d min %02d s%s\n' "$name" $((took / 60)) $((took % 60)) \
    "$([ $status -eq 0 ] || echo ", FAILED")"
  return $status
}

# configure_and_build PRESET [TARGET...]: ccache is used where it is installed, with its store in
# the project's folder. SMCL_CONFIGURE is one more argument for CMake.
configure_and_build() {
  local preset=$1
  shift
  if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
    export CCACHE_DIR=${CCACHE_DIR:-$PWD/.cache/ccache}
  fi
  mkdir -p build
  local log=build/configure-$preset.log
  cmake --preset "$preset" ${SMCL_CONFIGURE:+"$SMCL_CONFIGURE"} >"$log" 2>&1 || {
    cat "$log" >&2
    return 1
  }
  cmake --build --preset "$preset" -j "$(build_jobs)" ${1:+--target "$@"}
}

# print_skipped PRESET: the tests that the last ctest skipped, each with the reason that it gave.
# Fails where a reason is none of those that tests/README.md allows.
print_skipped() {
  local log=build/$1/Testing/Temporary/LastTest.log
  [ -r "$log" ] || return 0
  awk '
    function allowed(reason) {
      return reason ~ /^(no GPU$|no right to mount$|SMCL_DATA_DIR[ \/]|this CPU lacks |no sparse files)/ || reason ~ / is not installed$/
    }
    / Testing: / { name = $0; sub(/.* Testing: /, "", name) }
    wanted && NF {
      print "skipped: " name ": " $0
      if (!allowed($0)) { print "FAILED: no reason to skip a test (tests/README.md)"; bad = 1 }
      wanted = 0
    }
    /: Skipped$/ { wanted = 1 }
    END { exit bad }' "$log"
}

# The build folder whose program and libraries the checks take.
program_build() {
  if [ -e build/release/build.ninja ]; then
    echo build/release
  else
    echo build/dev
  fi
}
