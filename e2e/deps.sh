#!/usr/bin/env bash
# Installs, through apt, the Debian packages that are missing. Usage:
#   e2e/deps.sh COMMAND=PACKAGE...     a package per command that must be there
set -euo pipefail

missing=()
for pair in "$@"; do
  command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "imago: run this as root, or install sudo" >&2; exit 1; }
  sudo=(sudo)
fi
echo "imago: installing with apt: ${missing[*]}" >&2
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
