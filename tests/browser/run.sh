#!/usr/bin/env bash
# Runs the browser tests on what `make test-browser` has built.
set -euo pipefail
cd "$(dirname "$0")/../.."

node --test --test-concurrency=2 tests/browser/
for address in '' testserver; do
    build/conformance -role host -files 'http-kv,http-queue,http-stream,http-pubsub' \
        -driver 'node tests/conformance/drivers/chromium.mjs' ${address:+-addr "$address"}
done
