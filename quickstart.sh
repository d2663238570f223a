#!/usr/bin/env bash
# From a fresh Debian 12 machine to a comparison of three training runs on the built-in data set:
# cross-entropy, masking without contrast, and SMCL. Run again it does only what is left to do.
#
#   ./quickstart.sh [--no-install]     (arguments go to tools/setup)
set -euo pipefail
cd "$(dirname "$0")"
. tools/common.sh

readonly smcl=build/release/bin/smcl
readonly training=(
  "train recipes/quickstart/ce.toml --runs runs/quickstart"
  "train recipes/quickstart/mask-only.toml --runs runs/quickstart"
  "train recipes/quickstart/smcl.toml --runs runs/quickstart"
)
readonly results=(
  "compare runs/quickstart/ce-1 runs/quickstart/mask-only-1 runs/quickstart/smcl-1"
  "explain runs/quickstart/smcl-1 -o runs/quickstart-grid.png"
)

run_all() {
  local line words
  for line in "$@"; do
    read -ra words <<<"$line"
    echo "\$ smcl $line"
    "$smcl" "${words[@]}" || return
  done
}

stage "set-up and download" tools/setup "$@"
stage "build" configure_and_build release smcl
stage "training" run_all "${training[@]}"
stage "results" run_all "${results[@]}"
echo "quickstart: $((SECONDS / 60)) min $((SECONDS % 60)) s in all; runs lie in runs/"
