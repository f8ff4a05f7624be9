#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
time=${FUZZTIME:-60s}
ran=0
while IFS=: read -r file _ rest; do
  name=${rest#func }
  name=${name%%(*}
  dir=$(dirname "$file")
  echo "fuzz $dir $name for $time"
  "$go" test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$dir"
  ran=$((ran + 1))
done < <(grep -rn --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' .)
if [ "$ran" -eq 0 ]; then
  echo "no fuzz target found" >&2
  exit 1
fi
