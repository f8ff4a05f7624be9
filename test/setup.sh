#!/usr/bin/env bash
# Installs what the tests need: players, servers and zippers from Debian, libraries of the page tests from npm. Quick when all is
# there. Where it may not install, it says what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

# command : Debian package : what it is for
needs=(
  "ffmpeg:ffmpeg:media for the tests, and a player"
  "nginx:nginx-light:a storage node"
  "mpv:mpv:a player"
  "cvlc:vlc-bin:a player"
  "gst-launch-1.0:gstreamer1.0-tools:a player"
  "chromium:chromium:players in a browser"
  "zip:zip:archives by other zippers"
  "unzip:unzip:reading our archives"
  "7z:p7zip-full:archives by other zippers"
  "bsdtar:libarchive-tools:archives by other zippers"
  "jar:default-jdk-headless:archives by other zippers"
  "python3:python3:archives by other zippers"
  "curl:curl:a viewer"
  "node:nodejs:the browser tests' runner, the page's build"
  "npm:npm:their libraries"
  "gcc:build-essential:the race detector"
)
# Packages without a command of their own.
plugins=(vlc-plugin-base gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav)

packages=()
missing=()
for need in "${needs[@]}"; do
  IFS=: read -r command package purpose <<<"$need"
  command -v "$command" >/dev/null 2>&1 && continue
  packages+=("$package")
  missing+=("$command ($purpose; Debian: $package)")
done
if command -v dpkg-query >/dev/null 2>&1; then
  for package in "${plugins[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' && continue
    packages+=("$package")
    missing+=("$package (players need it)")
  done
fi

if [ "${#packages[@]}" -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "These are missing for the tests, and can only be installed here as root on Debian:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "${packages[@]}"
fi

for dir in web test/page; do
  [ -f "$dir/package-lock.json" ] || continue
  if [ ! -d "$dir/node_modules" ] || [ "$dir/package-lock.json" -nt "$dir/node_modules/.package-lock.json" ]; then
    (cd "$dir" && npm ci --no-audit --no-fund)
  fi
done
