#!/usr/bin/env bash
# Builds everything and runs the tests but those that take long (ctest label `long`).
#
#   ./test.sh [--no-install]     (arguments go to tools/setup)
#
# Tests that need external data look where SMCL_DATA_DIR points; tests/README.md.
set -euo pipefail
cd "$(dirname "$0")"
. tools/common.sh

use_own_tmp
stage "set-up" tools/setup --dev "$@"
stage "build" configure_and_build dev
status=0
stage "tests" ctest --test-dir build/dev -LE long -j2 --output-on-failure --no-tests=error \
  --timeout 600 || status=$?
print_skipped dev || status=1
exit $status
