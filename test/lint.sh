#!/usr/bin/env bash
# Builds golangci-lint from the Go module proxy, once, and runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
"$go" -C test/lint build -o ../../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
exec bin/golangci-lint run ./...
