#!/bin/sh
# Builds and runs benchmarks: ./bench.sh [NAME...], for example ./bench.sh saliency; all of them
# without a name. Prints one JSON line a measurement on standard output, and the build on standard
# error. SMCL_BENCH_CMAKE adds options for cmake, such as -DSMCL_TORCH=OFF. The benchmarks `gpu` and `gpu_step`
# (docs/gpu.md) ask for -DSMCL_CUDA=ON and are run by name only.
set -eu
cd "$(dirname "$0")"
build=build/bench
if [ -d .deps/peers ]; then  # bench/peers/install
  export PYTHONPATH="$PWD/.deps/peers${PYTHONPATH:+:$PYTHONPATH}"
fi
# shellcheck disable=SC2086
cmake --preset dev -B "$build" -DSMCL_TESTS=OFF -DSMCL_TORCH=ON -DSMCL_CUDA=OFF \
  ${SMCL_BENCH_CMAKE:-} >&2
torch=on
case ${SMCL_BENCH_CMAKE:-} in
  *SMCL_TORCH=OFF*) torch=off ;;
esac
if [ $# -eq 0 ]; then
  for source in bench/*_bench.cpp; do
    name=$(basename "$source" _bench.cpp)
    case $name in
      gpu*) continue ;;  # asks for a GPU and SMCL_CUDA: by name only
    esac
    if [ $torch = off ] && grep -qs 'needs SMCL_TORCH=ON' "bench/${name}_bench.cmake"; then
      continue
    fi
    set -- "$@" "$name"
  done
fi
for name in "$@"; do
  if [ ! -f "bench/${name}_bench.cpp" ]; then
    echo "bench.sh: no benchmark '$name'; there are:" >&2
    for source in bench/*_bench.cpp; do basename "$source" _bench.cpp >&2; done
    exit 2
  fi
  cmake --build "$build" --target "bench_$name" >&2
  "$build/bench_$name"
done
