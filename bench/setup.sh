#!/usr/bin/env bash
# Installs what the benchmarks compare with, from Debian. Quick when all is there. Where it may not install, it says what is missing.
set -euo pipefail

# command : Debian package : what it is for : without it
needs=(
  "nginx:nginx-light:storage node and competitor:nothing runs"
  "wrk:wrk:load over HTTP/1.1:nothing runs"
  "taskset:util-linux:one core for the server, one for the load:nothing runs"
  "varnishd:varnish:competitor:its rows are left out"
  "h2load:nghttp2-client:load over HTTP/2:that table is left out"
)

packages=()
missing=()
needed=0
for need in "${needs[@]}"; do
  IFS=: read -r command package purpose without <<<"$need"
  command -v "$command" >/dev/null 2>&1 && continue
  packages+=("$package")
  missing+=("$command ($purpose; Debian: $package; without it $without)")
  if [ "$without" = "nothing runs" ]; then needed=1; fi
done
[ "${#packages[@]}" -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "These are missing for the benchmarks, and can only be installed here as root on Debian:" >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit "$needed"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${packages[@]}"
