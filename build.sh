#!/usr/bin/env bash
# The Makefile's targets for people without make: ./build.sh quickstart
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v make >/dev/null; then
  echo "build.sh: make is not installed; installing it" >&2
  if command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq make
  else
    echo "build.sh: please install make with your system's package manager" >&2
    exit 1
  fi
fi
exec make "${@:-help}"
