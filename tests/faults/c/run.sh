#!/usr/bin/env bash
# What a C process survives. Each scenario has a process of its own, which is killed
# after 2 s. `make test-faults-c` builds the libraries.
set -euo pipefail
cd "$(dirname "$0")/../../.."
out=build/test-faults-c
mkdir -p "$out"
compile="${CC:-cc} -std=c99 -D_DEFAULT_SOURCE -Wall -Wextra -pedantic -Werror -O1 -Iinclude tests/faults/c/process.c"
$compile -o "$out/process" -Lbuild -lsynap -lpthread
$compile -o "$out/process-static" build/libsynap.a -lpthread -ldl

# scenario NAME [FOLDER OF THE LIBRARY [PROGRAM]]
scenario() {
  local start=$EPOCHREALTIME status=0
  LD_LIBRARY_PATH=${2:-build} timeout -s KILL 2 "$out/${3:-process}" "$1" || status=$?
  if [ "$status" -ne 0 ]; then
    echo "C process: $1: failed with status $status (137: killed after 2 s)" >&2
    exit 1
  fi
  awk -v name="$1" -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "C process: %s, %.2f s\n", name, b - a}'
}

for name in fork fork-in-flight exit-in-calls exit-in-subscription exit-by-another-thread signals peer-gone; do
  scenario "$name"
done
scenario panic build/testpanic
scenario fork '' process-static # the archive has the same guard
