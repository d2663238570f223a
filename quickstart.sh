#!/usr/bin/env bash
# From a fresh Debian 12 machine to a comparison of three training runs on the built-in data set:
# cross-entropy, masking without contrast, and SMCL. Run again it does only what is left to do.
#
#   ./quickstart.sh [--no-install]     (arguments go to tools/setup)
set -euo pipefail
cd "$(dirname "$0")"
. tools/common.sh

readonly smcl=build/release/bin/smcl
readonly recipes=recipes/quickstart
readonly commands=(
  "train $recipes/ce.toml $recipes/mask-only.toml $recipes/smcl.toml --runs runs/quickstart"
  "explain $recipes/smcl.toml -o runs/quickstart/masks.png"
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
stage "training and pictures" run_all "${commands[@]}"
echo "quickstart: $((SECONDS / 60)) min $((SECONDS % 60)) s in all; runs and masks.png lie in runs/quickstart"
