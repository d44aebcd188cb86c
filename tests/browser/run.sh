#!/usr/bin/env bash
# Installs Chromium where it is missing, and runs the browser tests on what
# `make test-browser` has built.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ ! -x /usr/bin/chromium ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "test-browser: /usr/bin/chromium is missing. Install Debian's package chromium: apt-get install chromium" >&2
        exit 1
    fi
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi

node --test --test-concurrency=2 tests/browser/
for address in '' testserver; do
    build/conformance -role host -files 'http-kv,http-queue,http-stream,http-pubsub' \
        -driver 'node tests/conformance/drivers/chromium.mjs' ${address:+-addr "$address"}
done
