#!/usr/bin/env bash
# tests/need.sh PROGRAM=PACKAGE ...: installs the Debian packages of programs that
# are missing, or says what to install.
set -euo pipefail
missing=()
for need in "$@"; do
  command -v "${need%%=*}" > /dev/null || missing+=("${need#*=}")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing ${missing[*]}"
  apt-get update -qq > /dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
else
  echo "the tests need these programs; please install: ${missing[*]}" >&2
  exit 1
fi
